//! A pattern as a small automaton. Characters that no set of the pattern tells apart are one symbol, a byte; so a
//! repetition costs a state or two a time, however many characters its set has, and `\p{L}` no more than `a`.

use std::collections::HashMap;

use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{Compiler, NFA, WhichCaptures};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, Hir, Look, Repetition};

use super::parse::{Node, Parsed};

/// The automaton's size bounds the steps that each character of a value can cost.
const MAX_BYTES: usize = 256 * 1_024;
/// What a range of its sets takes to read and to compile, and a state to make: some 100 ns.
const COST: usize = 10;
const TOO_LARGE: &str = "it is too large once compiled; count with minLength and maxLength";
const TOO_VARIED: &str = "it tells too many characters apart";

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Program {
    alphabet: Alphabet,
    machine: PikeVM,
    cost: usize,
}

impl Program {
    /// # Errors
    /// Why it is too much: a clause without a full stop.
    pub(super) fn compile(parsed: &Parsed) -> Result<Self, String> {
        let (alphabet, symbols) = Alphabet::new(&parsed.sets, parsed.words.as_ref()).ok_or(TOO_VARIED)?;
        let config = NFA::config().utf8(false).nfa_size_limit(Some(MAX_BYTES)).which_captures(WhichCaptures::None);
        let nfa = Compiler::new().configure(config).build_from_hir(&to_hir(&parsed.node, &symbols));
        let machine = nfa.and_then(PikeVM::new_from_nfa).map_err(|_| TOO_LARGE)?;
        let cost = COST * (parsed.steps + machine.get_nfa().states().len());
        Ok(Self { alphabet, machine, cost })
    }

    /// Whether it matches anywhere in the text.
    pub(super) fn matches(&self, text: &str) -> bool {
        let symbols: Vec<u8> = text.chars().map(|c| self.alphabet.symbol(c)).collect();
        self.machine.is_match(&mut self.machine.create_cache(), symbols.as_slice())
    }

    /// The steps that reading and compiling the pattern take, however often it is done.
    pub(super) const fn cost(&self) -> usize {
        self.cost
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
    /// The alphabet and, for each set, its symbols. Nothing if there are too many. With boundaries of words, which the
    /// automaton sees by the byte, characters of words get bytes that are such.
    fn new(sets: &[ClassUnicode], words: Option<&ClassUnicode>) -> Option<(Self, Vec<Vec<u8>>)> {
        // Where a set begins or ends to hold characters; one more, which holds all, begins the first run.
        let mut edges = vec![('\0', sets.len() + 1)];
        for (index, set) in sets.iter().chain(words).enumerate() {
            edges.extend(set.ranges().iter().map(|range| (range.start(), index)));
            edges.extend(set.ranges().iter().filter_map(|range| after(range.end())).map(|end| (end, index)));
        }
        edges.sort_unstable();

        let is_word_byte = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let mut bytes_of_words = (0..=u8::MAX).filter(|byte| is_word_byte(byte));
        let mut other_bytes = (0..=u8::MAX).filter(|byte| !is_word_byte(byte));
        let mut known: HashMap<Vec<u64>, u8> = HashMap::new();
        let mut symbols = vec![Vec::new(); sets.len()];
        let mut runs: Vec<(char, u8)> = Vec::new();
        // A bit a set that holds the run.
        let mut bits = vec![0_u64; (sets.len() + 2).div_ceil(64)];
        for edges in edges.chunk_by(|(one, _), (other, _)| one == other) {
            edges.iter().for_each(|(_, index)| bits[index / 64] ^= 1 << (index % 64));
            let holds = |index: usize| bits[index / 64] >> (index % 64) & 1 == 1;
            let symbol = match known.get(&bits) {
                Some(symbol) => *symbol,
                None => {
                    let free =
                        if words.is_some() && holds(sets.len()) { bytes_of_words.next() } else { other_bytes.next() };
                    // Without boundaries any byte will do.
                    let symbol = free.or_else(|| if words.is_some() { None } else { bytes_of_words.next() })?;
                    known.insert(bits.clone(), symbol);
                    (0..sets.len()).filter(|index| holds(*index)).for_each(|index| symbols[index].push(symbol));
                    symbol
                }
            };
            if runs.last().is_none_or(|(_, last)| *last != symbol) {
                runs.extend(edges.first().map(|(start, _)| (*start, symbol)));
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

fn to_hir(node: &Node, symbols: &[Vec<u8>]) -> Hir {
    let all = |nodes: &[Node]| nodes.iter().map(|node| to_hir(node, symbols)).collect();
    match node {
        Node::Set(index) => {
            let bytes = symbols.get(*index).into_iter().flatten();
            let ranges = bytes.map(|byte| ClassBytesRange::new(*byte, *byte));
            Hir::class(Class::Bytes(ClassBytes::new(ranges)))
        }
        Node::Start => Hir::look(Look::Start),
        Node::End => Hir::look(Look::End),
        Node::WordBoundary { is: true } => Hir::look(Look::WordAscii),
        Node::WordBoundary { is: false } => Hir::look(Look::WordAsciiNegate),
        Node::Repeat { node, least, most } => {
            let sub = Box::new(to_hir(node, symbols));
            Hir::repetition(Repetition { min: *least, max: *most, greedy: true, sub })
        }
        Node::Sequence(nodes) => Hir::concat(all(nodes)),
        Node::Choice(nodes) => Hir::alternation(all(nodes)),
    }
}
