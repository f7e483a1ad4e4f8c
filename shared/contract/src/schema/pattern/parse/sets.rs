//! The sets of a pattern, and what stands for one character or one of a set.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::{Node, Parser};
use crate::schema::pattern::{class, fold};

/// So many ranges of characters, and characters with another case, may the sets of one pattern be made of: about 10 ns
/// each.
const MAX_STEPS: usize = 150_000;
/// What it takes to look a property up.
const LOOK_UP: usize = 500;
const TOO_VARIED: &str = "its sets (`[…]`, `\\p{…}`) are of too many ranges of characters together";
const BACK_REFERENCE: &str = "back-references (`\\1`, `\\k<name>`) are not taken";

/// What stands for a character, or for one of a set.
pub(super) enum Part {
    /// A code point, perhaps half of a surrogate pair.
    One(u32),
    Set(Rc<ClassUnicode>),
}

/// A pattern's sets.
#[derive(Default)]
pub(super) struct Sets {
    indexes: BTreeMap<Vec<ClassUnicodeRange>, usize>,
    /// Those that have names, by letter, name, and whether case makes no difference.
    named: HashMap<(char, String, bool), Rc<ClassUnicode>>,
    steps: usize,
}

impl Sets {
    /// One of the set's characters.
    pub(super) fn node(&mut self, set: &ClassUnicode) -> Result<Node, String> {
        if let Some(index) = self.indexes.get(set.ranges()) {
            return Ok(Node::Set(*index));
        }
        self.spend(set.ranges().len())?;
        let index = self.indexes.len();
        self.indexes.insert(set.ranges().to_vec(), index);
        Ok(Node::Set(index))
    }

    fn spend(&mut self, steps: usize) -> Result<(), String> {
        self.steps += steps;
        if self.steps > MAX_STEPS { Err(TOO_VARIED.to_owned()) } else { Ok(()) }
    }

    /// What they have taken so far.
    pub(super) const fn steps(&self) -> usize {
        self.steps
    }

    /// All of them, by their indexes.
    pub(super) fn all(self) -> Vec<ClassUnicode> {
        let mut all: Vec<_> = self.indexes.into_iter().collect();
        all.sort_unstable_by_key(|(_, index)| *index);
        all.into_iter().map(|(ranges, _)| ClassUnicode::new(ranges)).collect()
    }
}

impl Parser {
    /// The set with all cases of its letters, where case makes no difference.
    pub(super) fn cased(&mut self, set: ClassUnicode) -> Result<ClassUnicode, String> {
        if !self.flags.any_case {
            return Ok(set);
        }
        let others = fold::others(&set);
        self.sets.spend(others.len())?;
        Ok(fold::with(&set, others))
    }

    /// What follows `[`, up to `]`.
    pub(super) fn class(&mut self) -> Result<Node, String> {
        let negated = self.eat("^");
        let mut ranges = Vec::new();
        while !self.eat("]") {
            let first = self.part()?;
            let is_range = self.peek() == Some('-') && self.rest.get(self.at + 1).is_some_and(|c| *c != ']');
            let set = match first {
                Part::Set(set) if !is_range => set,
                Part::One(code) if !is_range => self.cased(class::range(code, code))?.into(),
                first => {
                    self.at += 1;
                    let (first, last) = self.ends(&first)?;
                    self.cased(class::range(first, last))?.into()
                }
            };
            self.sets.spend(set.ranges().len())?;
            ranges.extend_from_slice(set.ranges());
        }
        // At once: a set is put in order each time that something joins it.
        let set = ClassUnicode::new(ranges);
        self.sets.node(&if negated { class::not(set) } else { set })
    }

    /// Both ends of a range, the second of which is next.
    fn ends(&mut self, first: &Part) -> Result<(u32, u32), String> {
        match (first, self.part()?) {
            (Part::One(first), Part::One(last)) if *first <= last => Ok((*first, last)),
            (Part::One(_), Part::One(_)) => {
                Err("a range in `[…]` goes from the lower to the higher character".to_owned())
            }
            _ => Err("a range in `[…]` goes from one character to another, from or to no set such as `\\w`; \
                      write `\\-` for the dash"
                .to_owned()),
        }
    }

    fn part(&mut self) -> Result<Part, String> {
        match self.next() {
            None => Err("a `[` has no `]`".to_owned()),
            Some('\\') if self.eat("b") => Ok(Part::One(0x8)),
            Some('\\') => self.escape(true),
            Some(c) => Ok(Part::One(c.into())),
        }
    }

    /// What follows `\`, in a class or outside.
    pub(super) fn escape(&mut self, in_class: bool) -> Result<Part, String> {
        let Some(c) = self.next() else { return Err("a `\\` ends it".to_owned()) };
        match c {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => self.named(c, ""),
            'p' | 'P' => {
                let name = if self.eat("{") { self.until('}') } else { None };
                self.named(c, &name.ok_or("a property is written like `\\p{L}`")?)
            }
            't' => Ok(Part::One(0x9)),
            'n' => Ok(Part::One(0xa)),
            'v' => Ok(Part::One(0xb)),
            'f' => Ok(Part::One(0xc)),
            'r' => Ok(Part::One(0xd)),
            '0' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => Ok(Part::One(0)),
            '0' => Err("octal escapes are not taken; write `\\x` and two hexadecimal digits".to_owned()),
            '1'..='9' | 'k' => Err(BACK_REFERENCE.to_owned()),
            'c' => match self.next() {
                Some(letter) if letter.is_ascii_alphabetic() => Ok(Part::One(u32::from(letter) % 32)),
                _ => Err("`\\c` is followed by a letter".to_owned()),
            },
            'x' => self.hexadecimal(2).map(Part::One).ok_or_else(bad_code),
            'u' => self.code_point().map(Part::One).ok_or_else(bad_code),
            '-' if in_class => Ok(Part::One(c.into())),
            c if "^$\\.*+?()[]{}|/".contains(c) => Ok(Part::One(c.into())),
            c if c.is_ascii_alphanumeric() => Err(format!("`\\{c}` means nothing")),
            c => Err(format!("`\\{c}` means nothing; write `{c}`")),
        }
    }

    /// `\d` and the like, or the property `\p{name}`; the capital letters are the complements. Each is made once.
    fn named(&mut self, letter: char, name: &str) -> Result<Part, String> {
        let key = (letter, name.to_owned(), self.flags.any_case);
        if let Some(set) = self.sets.named.get(&key) {
            return Ok(Part::Set(set.clone()));
        }
        self.sets.spend(LOOK_UP)?;
        let set = match letter.to_ascii_lowercase() {
            'd' => class::digits(),
            's' => class::space(),
            'w' => self.cased(class::word())?,
            _ => class::property(name).ok_or_else(|| {
                format!("there is no property `\\p{{{name}}}`; it is written like `\\p{{Lu}}` or `\\p{{Script=Greek}}`")
            })?,
        };
        self.sets.spend(set.ranges().len())?;
        // The cases come after the complement: where case makes no difference, `\P{Lu}` has the capitals of its letters.
        let set = self.cased(if letter.is_ascii_uppercase() { class::not(set) } else { set })?;
        let set = Rc::new(set);
        self.sets.named.insert(key, set.clone());
        Ok(Part::Set(set))
    }

    fn hexadecimal(&mut self, length: usize) -> Option<u32> {
        let digits = self.rest.get(self.at..self.at + length)?;
        let value = digits.iter().try_fold(0, |value, c| Some(value * 16 + c.to_digit(16)?));
        self.at += length;
        value
    }

    /// `{1F600}`, `0041`, or two surrogates, after `\u`.
    pub(super) fn code_point(&mut self) -> Option<u32> {
        if self.eat("{") {
            let digits = self.until('}')?;
            let hexadecimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let code = hexadecimal.then(|| u32::from_str_radix(&digits, 16).ok()).flatten();
            return code.filter(|code| *code <= u32::from(char::MAX));
        }
        let first = self.hexadecimal(4)?;
        let before = self.at;
        if (0xd800..0xdc00).contains(&first)
            && self.eat("\\u")
            && let Some(second) = self.hexadecimal(4).filter(|second| (0xdc00..0xe000).contains(second))
        {
            return Some(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        }
        self.at = before;
        Some(first)
    }
}

fn bad_code() -> String {
    "a character is written `\\x41`, `\\u0041` or `\\u{1F600}`".to_owned()
}
