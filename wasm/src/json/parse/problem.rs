//! What can be wrong with JSON.

use crate::position::Span;

/// What is wrong with the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Nothing but white space.
    Empty,
    /// U+FEFF before the text.
    ByteOrderMark,
    /// A comma that nothing follows.
    TrailingComma,
    /// Two values without a comma between them.
    MissingComma,
    /// A semicolon in a comma's place.
    Semicolon,
    /// A key without its colon.
    MissingColon,
    /// A key or an element without a value.
    MissingValue,
    /// A comment: JSON has none.
    Comment,
    /// A string in single or typographic quotes.
    Quotes,
    /// A word without quotes.
    BareWord,
    /// A string that its line does not end, or the next string's first quote does.
    OpenString,
    /// A string without its first quote.
    UnopenedString,
    /// An array without its first bracket.
    UnopenedList,
    /// An object without its first brace.
    UnopenedObject,
    /// An array that ends where the next name of the object around it begins.
    UnclosedList,
    /// An object that ends where the next object of the array around it begins.
    UnclosedObject,
    /// An array or an object that nothing closes.
    OpenBracket,
    /// The same quote, colon or opening bracket once more.
    Doubled,
    /// A bracket that closes nothing, or another bracket than it should.
    StrayBracket,
    /// A control character inside a string.
    ControlCharacter,
    /// A backslash that escapes nothing JSON knows.
    Escape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A number that JSON would write otherwise.
    Number,
    /// A character that belongs nowhere outside strings.
    Character,
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// A key that the object has already.
    DuplicateKey,
    /// More text after the value.
    TrailingText,
}

/// One deviation from JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What it is.
    pub problem: Problem,
    /// Where a strict parser stops.
    pub span: Span,
    /// The edit that fixes it: what to put in place of which bytes.
    pub edit: Option<(Span, &'static str)>,
}
