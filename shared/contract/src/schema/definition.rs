//! From JSON to a definition, naming every failure on the way.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::{Map, Value};

use super::pattern::Pattern;
use super::rules::{Choice, Point, Rules};
use super::value::{self, MAX_ITEMS, count};
use super::{FieldType, number};
use crate::problem::{Problems, join};
use crate::prose;

const MAX_SCHEMA_BYTES: usize = 64 * 1_024;
const MAX_PLACEHOLDER: usize = 200;
const MAX_HELP_TEXT: usize = 2_000;
const MAX_OPTIONS: usize = 500;
const MAX_OPTION: usize = 200;
const MAX_PATTERN: usize = 1_000;
const MAX_LENGTH: usize = 262_144;
/// 2^53
const MAX_ORDER: i64 = 1 << 53;
/// So many unknown members of one object are named; more would only make the answer longer.
const MAX_UNKNOWN: usize = 20;

/// What a schema says. The order of the members is the canonical one.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Definition {
    #[serde(rename = "type")]
    pub(super) field_type: FieldType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation: Option<Rules>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ui: Option<Ui>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<Value>,
}

/// What a form shows.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ui {
    #[serde(skip_serializing_if = "Option::is_none")]
    placeholder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<i64>,
}

impl Definition {
    pub(super) fn weight(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let ui = self.ui.as_ref().map_or(0, |ui| text(&ui.placeholder) + text(&ui.help_text));
        let rules = self.validation.as_ref().map_or(0, Rules::weight);
        size_of::<Self>() + rules + ui + self.default.as_ref().map_or(0, json_weight)
    }
}

fn json_weight(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(json_weight).sum(),
            Value::Object(members) => members.iter().map(|(name, value)| 3 * name.len() + json_weight(value)).sum(),
            _ => 0,
        }
}

/// Reads a definition; of one that was accepted before, the pattern and the default are not tried again.
pub(super) fn parse(value: Value, path: &str, accepted: bool) -> Result<Definition, Problems> {
    let mut problems = Problems::default();
    if value.to_string().len() > MAX_SCHEMA_BYTES {
        problems.add(path, "too_large", format!("Must have at most {MAX_SCHEMA_BYTES} bytes of JSON."));
    }
    let Some(mut object) = Object::read(value, path.to_owned(), &mut problems) else { return Err(problems) };

    let field_type = object.field_type(&mut problems);
    let validation_path = object.path_of("validation");
    let mut has_options = false;
    let mut validation = object.take("validation").and_then(|value| {
        let rules = Object::read(value, validation_path.clone(), &mut problems)?;
        has_options = rules.has("options");
        Some(rules.rules(field_type, &mut problems))
    });
    if field_type.is_some_and(|known| known.rules().contains(&"options")) && !has_options {
        problems.add(join(&validation_path, "options"), "required", "Is required.");
    }

    let ui_path = object.path_of("ui");
    let ui = object.take("ui").and_then(|value| Object::read(value, ui_path, &mut problems));
    let ui = ui.map(|ui| ui.ui(&mut problems)).filter(|ui| *ui != Ui::default());

    let default_path = object.path_of("default");
    let default = object.take("default");
    if !accepted {
        if let Some(rules) = &mut validation {
            try_pattern(rules, &validation_path, &mut problems);
        }
        if let (Some(field_type), Some(default)) = (field_type, &default) {
            let none = Rules::default();
            value::check(field_type, validation.as_ref().unwrap_or(&none), default, &default_path, &mut problems);
        }
    }

    object.finish(&["type", "validation", "ui", "default"], &mut problems);
    let validation = validation.filter(|rules| *rules != Rules::default());
    match field_type {
        Some(field_type) => {
            let default = default.map(|default| value::kept(field_type, &default));
            problems.or(Definition { field_type, validation, ui, default })
        }
        None => Err(problems),
    }
}

/// Compiles the pattern. What can't be used is left out, so that a default is held to the other rules.
fn try_pattern(rules: &mut Rules, path: &str, problems: &mut Problems) {
    let Some(pattern) = &rules.pattern else { return };
    if let Some(broken) = pattern.broken() {
        problems.add(join(path, "pattern"), broken.code, broken.message);
        rules.pattern = None;
        return;
    }
    let longest = pattern.longest();
    if rules.min_length.is_some_and(|min| min > longest) {
        let message = format!("Must not be over {longest}, the most characters that are held against this pattern.");
        problems.add(join(path, "minLength"), "contradiction", message);
        rules.min_length = None;
    }
}

/// An object whose members are taken out one by one; what is left over is unknown.
struct Object {
    path: String,
    members: Map<String, Value>,
}

impl Object {
    fn read(value: Value, path: String, problems: &mut Problems) -> Option<Self> {
        if let Value::Object(members) = value {
            Some(Self { path, members })
        } else {
            problems.add(path, "wrong_type", "Must be an object.");
            None
        }
    }

    fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// A member; one that is `null` is as if it were left out.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    fn finish(self, known: &[&str], problems: &mut Problems) {
        for name in self.members.keys().take(MAX_UNKNOWN) {
            let message = format!("Is not known here. Known are: {}.", known.join(", "));
            problems.add(self.path_of(name), "unknown_member", message);
        }
    }

    fn field_type(&mut self, problems: &mut Problems) -> Option<FieldType> {
        let path = self.path_of("type");
        match self.take("type") {
            Some(Value::String(name)) => {
                let found = FieldType::ALL.into_iter().find(|known| known.as_str() == name);
                if found.is_none() {
                    let names = FieldType::ALL.map(FieldType::as_str).join(", ");
                    problems.add(path, "not_an_option", format!("Must be one of: {names}."));
                }
                return found;
            }
            Some(_) => problems.add(path, "wrong_type", "Must be a string."),
            None => problems.add(path, "required", "Is required."),
        }
        None
    }

    fn ui(mut self, problems: &mut Problems) -> Ui {
        let ui = Ui {
            placeholder: self.text("placeholder", 0..=MAX_PLACEHOLDER, true, problems),
            help_text: self.text("helpText", 0..=MAX_HELP_TEXT, true, problems),
            order: self.whole("order", -MAX_ORDER, MAX_ORDER, problems),
        };
        self.finish(&["placeholder", "helpText", "order"], problems);
        ui
    }

    /// The rules that hold up. Those that contradict each other are left out, so that a default is not held to them.
    fn rules(mut self, field_type: Option<FieldType>, problems: &mut Problems) -> Rules {
        if let Some(field_type) = field_type {
            self.refuse_foreign_rules(field_type, problems);
        }
        let mut rules = Rules {
            required: self.flag("required", problems),
            min_length: self.least("minLength", MAX_LENGTH, problems),
            max_length: self.size("maxLength", MAX_LENGTH, problems),
            pattern: self.pattern(problems),
            min: self.point("min", field_type, problems),
            max: self.point("max", field_type, problems),
            integer: self.flag("integer", problems),
            options: None,
            min_items: self.least("minItems", MAX_ITEMS, problems),
            max_items: self.size("maxItems", MAX_ITEMS, problems),
        };
        let options = self.options(problems);
        for (name, message) in rules.take_contradictions(options.as_ref().map(Vec::len)) {
            problems.add(self.path_of(name), "contradiction", message);
        }
        rules.options = options.and_then(|options| options.into_iter().collect());
        self.finish(field_type.map_or(ALL_RULES, FieldType::rules), problems);
        rules
    }

    fn refuse_foreign_rules(&mut self, field_type: FieldType, problems: &mut Problems) {
        for name in ALL_RULES.iter().filter(|name| !field_type.rules().contains(*name)) {
            if self.take(name).is_some() {
                let message = format!("Does not apply to the type {}.", field_type.as_str());
                problems.add(self.path_of(name), "not_for_type", message);
            }
        }
    }

    /// A rule that is off is none.
    fn flag(&mut self, name: &str, problems: &mut Problems) -> Option<bool> {
        let value = self.take(name)?;
        if !value.is_boolean() {
            problems.add(self.path_of(name), "wrong_type", "Must be true or false.");
        }
        value.as_bool().filter(|on| *on)
    }

    /// An integer, also one that a format in between has written as `3.0`.
    fn whole<T: TryFrom<i128> + Into<i128> + Copy>(
        &mut self,
        name: &str,
        min: T,
        max: T,
        problems: &mut Problems,
    ) -> Option<T> {
        let value = self.take(name)?;
        let path = self.path_of(name);
        let Some(given) = value.as_number() else {
            problems.add(path, "wrong_type", "Must be a whole number.");
            return None;
        };
        if !number::is_integral(given) {
            problems.add(path, "not_integer", "Must be a whole number.");
            return None;
        }
        // One that does not fit is far out of range on the side of its sign.
        let negative = given.as_f64().is_some_and(f64::is_sign_negative);
        let whole = number::whole(given).unwrap_or(if negative { i128::MIN } else { i128::MAX });
        if whole < min.into() {
            problems.add(path, "too_small", format!("Must be at least {}.", min.into()));
        } else if whole > max.into() {
            problems.add(path, "too_large", format!("Must be at most {}.", max.into()));
        } else {
            return T::try_from(whole).ok();
        }
        None
    }

    fn size(&mut self, name: &str, max: usize, problems: &mut Problems) -> Option<usize> {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        self.whole(name, 0, max, problems).and_then(|size| usize::try_from(size).ok())
    }

    /// A least size; nought is none.
    fn least(&mut self, name: &str, max: usize, problems: &mut Problems) -> Option<usize> {
        self.size(name, max, problems).filter(|size| *size > 0)
    }

    fn text(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
        lines: bool,
        problems: &mut Problems,
    ) -> Option<String> {
        let value = self.take(name)?;
        text(&value, length, lines, &self.path_of(name), problems)
    }

    fn pattern(&mut self, problems: &mut Problems) -> Option<Pattern> {
        let value = self.take("pattern")?;
        let path = self.path_of("pattern");
        let Value::String(source) = value else {
            problems.add(path, "wrong_type", "Must be a string.");
            return None;
        };
        // Before the compiler, whose work it limits.
        if source.chars().count() > MAX_PATTERN {
            problems.add(path, "too_long", format!("Must have at most {MAX_PATTERN} characters."));
            return None;
        }
        if source.contains('\0') {
            problems.add(path, "nul", "Must not hold the character NUL; it is written `\\0`.");
            return None;
        }
        Some(Pattern::new(source))
    }

    /// A bound has the type of the value; of an unknown type there is nothing to say.
    fn point(&mut self, name: &str, field_type: Option<FieldType>, problems: &mut Problems) -> Option<Point> {
        let value = self.take(name)?;
        Point::read(field_type?, &value)
            .map_err(|broken| problems.add(self.path_of(name), broken.code, broken.message))
            .ok()
    }

    /// The options, `None` in the place of one that is wrong.
    fn options(&mut self, problems: &mut Problems) -> Option<Vec<Option<Choice>>> {
        let value = self.take("options")?;
        let path = self.path_of("options");
        let Value::Array(options) = value else {
            problems.add(path, "wrong_type", "Must be a list.");
            return None;
        };
        if options.is_empty() {
            problems.add(path, "too_few", "Must have at least 1 option.");
            return None;
        }
        if options.len() > MAX_OPTIONS {
            problems.add(path.as_str(), "too_many", format!("Must have at most {}.", count(MAX_OPTIONS, "option")));
        }
        let mut seen = HashSet::new();
        let choices = options.into_iter().enumerate().map(|(index, value)| {
            let path = format!("{path}[{index}]");
            let choice = choice(value, &path, problems)?;
            if seen.insert(choice.value().to_owned()) {
                return Some(choice);
            }
            problems.add(path, "duplicate", "Must not have the value of an earlier option.");
            None
        });
        Some(choices.collect())
    }
}

/// Every rule of every type.
const ALL_RULES: &[&str] =
    &["required", "minLength", "maxLength", "pattern", "min", "max", "integer", "options", "minItems", "maxItems"];

fn choice(value: Value, path: &str, problems: &mut Problems) -> Option<Choice> {
    match value {
        Value::String(_) => text(&value, 1..=MAX_OPTION, false, path, problems).map(Choice::Bare),
        Value::Object(_) => {
            let mut object = Object::read(value, path.to_owned(), problems)?;
            for name in ["value", "label"] {
                if !object.has(name) {
                    problems.add(object.path_of(name), "required", "Is required.");
                }
            }
            let value = object.text("value", 1..=MAX_OPTION, false, problems);
            let label = object.text("label", 1..=MAX_OPTION, false, problems);
            object.finish(&["value", "label"], problems);
            Some(Choice::Labelled { value: value?, label: label? })
        }
        _ => {
            problems.add(path, "wrong_type", "Must be a string, or an object with a value and a label.");
            None
        }
    }
}

/// A text for people, in its normal form.
fn text(
    value: &Value,
    length: RangeInclusive<usize>,
    lines: bool,
    path: &str,
    problems: &mut Problems,
) -> Option<String> {
    let Some(text) = value.as_str() else {
        problems.add(path, "wrong_type", "Must be a string.");
        return None;
    };
    prose::read(text, length, lines).map_err(|broken| problems.add(path, broken.code, broken.message)).ok()
}

#[cfg(test)]
mod tests;
