//! A pattern as a small automaton. Characters that no set of the pattern tells apart are one symbol, a byte; so a
//! repetition costs a state or two a time, however many characters its set has, and `\p{L}` no more than `a`.

use std::collections::HashMap;

use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{Compiler, NFA, WhichCaptures};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, Hir, Look, Repetition};

use super::class;
use super::parse::Node;

/// The automaton's size bounds the steps that each character of a value can cost.
const MAX_BYTES: usize = 256 * 1_024;
const TOO_LARGE: &str = "it is too large once compiled; count with minLength and maxLength";
const TOO_VARIED: &str = "it tells too many characters apart";

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Program {
    alphabet: Alphabet,
    machine: PikeVM,
}

impl Program {
    /// # Errors
    /// Why it is too much: a clause without a full stop.
    pub(super) fn compile(node: &Node) -> Result<Self, String> {
        let mut sets = Vec::new();
        collect(node, &mut sets);
        let (alphabet, symbols) = Alphabet::new(&sets, has_boundary(node)).ok_or(TOO_VARIED)?;
        let config = NFA::config().utf8(false).nfa_size_limit(Some(MAX_BYTES)).which_captures(WhichCaptures::None);
        let nfa = Compiler::new().configure(config).build_from_hir(&to_hir(node, &sets, &symbols));
        let machine = nfa.and_then(PikeVM::new_from_nfa).map_err(|_| TOO_LARGE)?;
        Ok(Self { alphabet, machine })
    }

    /// Whether it matches anywhere in the text.
    pub(super) fn matches(&self, text: &str) -> bool {
        let symbols: Vec<u8> = text.chars().map(|c| self.alphabet.symbol(c)).collect();
        self.machine.is_match(&mut self.machine.create_cache(), symbols.as_slice())
    }

    /// What a character of a text can cost at the most.
    pub(super) fn states(&self) -> usize {
        self.machine.get_nfa().states().len()
    }

    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.machine.get_nfa().memory_usage() + self.alphabet.0.len() * size_of::<(char, u8)>()
    }
}

/// Where each run of characters of one symbol begins, in order, the first at NUL.
#[derive(Debug)]
struct Alphabet(Vec<(char, u8)>);

impl Alphabet {
    /// The alphabet and, for each set, its symbols. Nothing if there are too many. With word boundaries, which the
    /// automaton sees by the byte, characters of words get bytes that are such.
    fn new(sets: &[&ClassUnicode], boundaries: bool) -> Option<(Self, Vec<Vec<u8>>)> {
        let words = class::word();
        let told_apart: Vec<&ClassUnicode> = sets.iter().copied().chain(boundaries.then_some(&words)).collect();
        let mut starts = vec!['\0'];
        for range in told_apart.iter().flat_map(|set| set.ranges()) {
            starts.push(range.start());
            starts.extend(after(range.end()));
        }
        starts.sort_unstable();
        starts.dedup();
        let place = |start: char| starts.partition_point(|known| *known < start);

        // For each run, a bit a set that holds it.
        let width = told_apart.len().div_ceil(64);
        let mut members = vec![vec![0_u64; width]; starts.len()];
        for (index, set) in told_apart.iter().enumerate() {
            for range in set.ranges() {
                let end = after(range.end()).map_or(starts.len(), place);
                members[place(range.start())..end].iter_mut().for_each(|bits| bits[index / 64] |= 1 << (index % 64));
            }
        }

        let is_word_byte = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let mut bytes_of_words = (0..=u8::MAX).filter(|byte| is_word_byte(byte));
        let mut other_bytes = (0..=u8::MAX).filter(|byte| !is_word_byte(byte));
        let mut known: HashMap<&[u64], u8> = HashMap::new();
        let mut symbols = vec![Vec::new(); sets.len()];
        let mut runs: Vec<(char, u8)> = Vec::new();
        for (start, bits) in starts.iter().zip(&members) {
            let holds = |index: usize| bits[index / 64] >> (index % 64) & 1 == 1;
            let symbol = match known.get(bits.as_slice()) {
                Some(symbol) => *symbol,
                None => {
                    let free = if boundaries && holds(sets.len()) { bytes_of_words.next() } else { other_bytes.next() };
                    // Without boundaries any byte will do.
                    let symbol = free.or_else(|| if boundaries { None } else { bytes_of_words.next() })?;
                    known.insert(bits, symbol);
                    (0..sets.len()).filter(|index| holds(*index)).for_each(|index| symbols[index].push(symbol));
                    symbol
                }
            };
            if runs.last().is_none_or(|(_, last)| *last != symbol) {
                runs.push((*start, symbol));
            }
        }
        runs.shrink_to_fit();
        Some((Self(runs), symbols))
    }

    fn symbol(&self, c: char) -> u8 {
        let run = self.0.partition_point(|(start, _)| *start <= c);
        self.0.get(run.saturating_sub(1)).map_or(0, |(_, symbol)| *symbol)
    }
}

/// The next character, the surrogates left out.
fn after(c: char) -> Option<char> {
    (c..=char::MAX).nth(1)
}

/// The pattern's sets, each once.
fn collect<'n>(node: &'n Node, sets: &mut Vec<&'n ClassUnicode>) {
    match node {
        Node::Set(set) if !sets.contains(&set) => sets.push(set),
        Node::Repeat { node, .. } => collect(node, sets),
        Node::Sequence(nodes) | Node::Choice(nodes) => nodes.iter().for_each(|node| collect(node, sets)),
        Node::Set(_) | Node::Start | Node::End | Node::WordBoundary { .. } => {}
    }
}

fn has_boundary(node: &Node) -> bool {
    match node {
        Node::WordBoundary { .. } => true,
        Node::Repeat { node, .. } => has_boundary(node),
        Node::Sequence(nodes) | Node::Choice(nodes) => nodes.iter().any(has_boundary),
        Node::Set(_) | Node::Start | Node::End => false,
    }
}

fn to_hir(node: &Node, sets: &[&ClassUnicode], symbols: &[Vec<u8>]) -> Hir {
    let all = |nodes: &[Node]| nodes.iter().map(|node| to_hir(node, sets, symbols)).collect();
    match node {
        Node::Set(set) => {
            let bytes = sets.iter().position(|known| *known == set).and_then(|index| symbols.get(index));
            let ranges = bytes.into_iter().flatten().map(|byte| ClassBytesRange::new(*byte, *byte));
            Hir::class(Class::Bytes(ClassBytes::new(ranges)))
        }
        Node::Start => Hir::look(Look::Start),
        Node::End => Hir::look(Look::End),
        Node::WordBoundary { is: true } => Hir::look(Look::WordAscii),
        Node::WordBoundary { is: false } => Hir::look(Look::WordAsciiNegate),
        Node::Repeat { node, least, most } => {
            let sub = Box::new(to_hir(node, sets, symbols));
            Hir::repetition(Repetition { min: *least, max: *most, greedy: true, sub })
        }
        Node::Sequence(nodes) => Hir::concat(all(nodes)),
        Node::Choice(nodes) => Hir::alternation(all(nodes)),
    }
}
