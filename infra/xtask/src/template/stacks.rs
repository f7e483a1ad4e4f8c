//! Which nested stack the function of a route is in.

use std::collections::BTreeMap;

use super::function;
use super::route::RouteFunction;
use crate::Failure;

/// Where it is written down, below the workspace's folder.
pub const PATH: &str = "infra/stacks.txt";

/// The most resources of a stack. CloudFormation takes 500; the rest is room for what a function may still need.
pub const MOST_RESOURCES: usize = 200;

const HEADER: &str = "\
# Which nested stack a route's function is in. `cargo xtask gen` adds what is new; nothing here is ever changed: a function
# that moved to another stack would be made there while the old one still has its name, and the deployment would fail.
";

/// The stack of every route's function, by its identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stacks(BTreeMap<String, String>);

impl Stacks {
    /// As it is written down.
    ///
    /// # Errors
    /// If a line is not a function and its stack, or a function has two.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let mut stacks = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (id, stack) =
                line.split_once(' ').ok_or_else(|| format!("{PATH}: not a function and a stack: {line}"))?;
            if stacks.insert(id.to_owned(), stack.to_owned()).is_some() {
                return Err(format!("{PATH}: {id} has two stacks").into());
            }
        }
        Ok(Self(stacks))
    }

    /// With a stack for those that have none yet: their package's, or where that is full, its second, and so on.
    #[must_use]
    pub fn with(mut self, functions: &[RouteFunction]) -> Self {
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        for function in functions {
            if let Some(stack) = self.0.get(&function.id) {
                *taken.entry(stack.clone()).or_default() += function::of_route(function).len();
            }
        }
        for function in functions {
            if self.0.contains_key(&function.id) {
                continue;
            }
            let size = function::of_route(function).len();
            let mut stack = function.package.clone();
            let mut nth = 1;
            while taken.get(&stack).is_some_and(|taken| taken + size > MOST_RESOURCES) {
                nth += 1;
                stack = format!("{}-{nth}", function.package);
            }
            *taken.entry(stack.clone()).or_default() += size;
            self.0.insert(function.id.clone(), stack);
        }
        self
    }

    /// The stack of a function that has one.
    #[must_use]
    pub fn of(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    /// As it is written down.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self.0.iter().map(|(id, stack)| format!("{id} {stack}\n"));
        HEADER.to_owned() + &lines.collect::<String>()
    }
}
