//! What may be larger than an item, in several: each holds a piece in `body`, and how many there are in `pieces`.

use aws_sdk_dynamodb::types::AttributeValue;
use contract::Error;

use crate::Store;
use crate::dynamo::{Item, get_bytes, get_number, key_attributes, must, number};
use crate::keys::Key;

/// Bytes of a piece at the most: an item has at most 400 KB.
pub(crate) const MOST: usize = 350_000;

/// One piece, without a place.
pub(crate) struct Piece {
    pub(crate) body: AttributeValue,
    pub(crate) pieces: AttributeValue,
}

/// The pieces of a body, in order; one at least, which has at most `first` bytes.
pub(crate) fn cut(body: &[u8], first: usize) -> Vec<Piece> {
    let (first, rest) = body.split_at(first.min(body.len()));
    let parts: Vec<&[u8]> = std::iter::once(first).chain(rest.chunks(MOST)).collect();
    let piece = |part: &&[u8]| Piece { body: AttributeValue::B((*part).into()), pieces: number(parts.len()) };
    parts.iter().map(piece).collect()
}

impl Piece {
    /// The item of this piece alone.
    pub(crate) fn at(self, place: &Key) -> Item {
        let mut item = key_attributes(place);
        item.extend([("body".to_owned(), self.body), ("pieces".to_owned(), self.pieces)]);
        item
    }
}

impl Store {
    /// The body whose first piece an item has; `place` says where the others are.
    pub(crate) async fn join(&self, first: &Item, place: impl Fn(usize) -> Key) -> Result<Vec<u8>, Error> {
        let count: usize = must(get_number(first, "pieces"), "pieces")?;
        let mut body = must(get_bytes(first, "body"), "body")?.to_vec();
        let places: Vec<Key> = (1..count).map(place).collect();
        let rest = self.batch_get_all(&places.iter().collect::<Vec<_>>()).await?;
        for place in &places {
            body.extend_from_slice(must(rest.get(place).and_then(|item| get_bytes(item, "body")), "body")?);
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_body_in_order() {
        for (length, first, count) in [
            (0, MOST, 1),
            (1, MOST, 1),
            (MOST, MOST, 1),
            (MOST + 1, MOST, 2),
            (3 * MOST, MOST, 3),
            (3 * MOST + 7, MOST, 4),
            (100, 100, 1),
            (101, 100, 2),
            (100 + MOST, 100, 2),
            (101 + MOST, 100, 3),
        ] {
            let body: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
            let pieces = cut(&body, first);
            assert!(pieces.iter().all(|piece| piece.pieces == number(count)));
            let joined: Vec<u8> =
                pieces.iter().flat_map(|piece| piece.body.as_b().expect("bytes").as_ref().to_vec()).collect();
            assert_eq!((pieces.len(), joined), (count, body));
        }
    }
}
