//! Inputs that are nearly right: a sample, with bytes changed, put in, cut out or said twice.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

/// Holds a claim against so many times as many inputs as `PROPTEST_CASES` says, of which the default is 256.
pub(crate) fn each<S: Strategy>(times: u32, inputs: &S, claim: impl Fn(S::Value)) {
    let all = Config::default();
    let config = Config { cases: all.cases.saturating_mul(times), failure_persistence: None, ..all };
    let run = TestRunner::new(config).run(inputs, |input| {
        claim(input);
        Ok(())
    });
    if let Err(failed) = run {
        panic!("{failed}");
    }
}

/// What parsers look for.
const MARKS: &[&str] = &[
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "-0",
    "1e999",
    "0x",
    "\u{feff}",
    "\0",
    "\r\n",
    "%00",
    "%2F",
    "%252e",
    "..",
    "//",
    "@",
    "#",
    "?",
    "&",
    "=",
    ";",
    ".",
    "eyJ",
    "hr_live_",
    "whsec_",
    "v1,",
    "sha256=",
    "xn--",
    "é",
    "\u{202e}",
    "１",
    "99999999999999999999",
];

/// What comes in place of a part of a text.
#[derive(Debug, Clone)]
enum Mutation {
    Bytes(Vec<u8>),
    Itself { times: usize },
}

/// Nearly one of the samples.
pub(crate) fn near<S: AsRef<str>>(samples: &[S]) -> impl Strategy<Value = Vec<u8>> + use<S> {
    let samples: Vec<Vec<u8>> = samples.iter().map(|sample| sample.as_ref().as_bytes().to_vec()).collect();
    let mutation = prop_oneof![
        3 => select(MARKS).prop_map(|mark| Mutation::Bytes(mark.into())),
        2 => vec(any::<u8>(), 0..3).prop_map(Mutation::Bytes),
        1 => vec(any::<u8>(), 0..40).prop_map(Mutation::Bytes),
        1 => (0..3_usize).prop_map(|times| Mutation::Itself { times }),
    ];
    let part = (any::<Index>(), prop_oneof![3 => 0..1_usize, 3 => 1..2_usize, 1 => 2..200_usize], mutation);
    (select(samples), vec(part, 0..5)).prop_map(|(sample, parts)| {
        parts.into_iter().fold(sample, |mut text, (at, length, mutation)| {
            let from = at.index(text.len() + 1);
            replace(&mut text, from..from + length, mutation);
            text
        })
    })
}

fn replace(text: &mut Vec<u8>, part: Range<usize>, mutation: Mutation) {
    let part = part.start..part.end.min(text.len());
    let bytes = match mutation {
        Mutation::Bytes(bytes) => bytes,
        Mutation::Itself { times } => text[part.clone()].repeat(times),
    };
    text.splice(part, bytes);
}
