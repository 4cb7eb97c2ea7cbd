//! The kinds of tokens and nodes of the syntax tree.

/// What a token or a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "each token is named as it is written, each node as the grammar names it"
)]
pub enum SyntaxKind {
    // Trivia: tokens that the grammar does not see.
    Whitespace,
    /// `# …`
    Comment,
    /// `## …`
    Doc,
    /// `##! …`
    ModuleDoc,
    /// Characters that begin no token; reported by the lexer.
    Junk,

    // Literals and names.
    Int,
    Float,
    /// `30min`, `4GiB`
    Unit,
    /// A whole string on one line without `${`.
    Str,
    /// `"` or `"""`, when parts follow.
    StrOpen,
    StrText,
    /// Empty where the string is not closed.
    StrClose,
    /// `${`
    InterpOpen,
    /// `}` of `${`; empty where it is missing.
    InterpClose,
    /// `./a/b.csv`; `./` alone before a glued string.
    Path,
    /// A name that begins with `_` or no upper-case letter.
    Lname,
    /// A name that begins with an upper-case letter.
    Uname,

    // Reserved words.
    If,
    Then,
    Else,
    Match,
    Let,
    Fn,
    True,
    False,
    Null,
    And,
    Or,
    Not,
    Import,
    For,

    // Punctuation.
    LParen,
    RParen,
    LBracket,
    RBracket,
    LBrace,
    RBrace,
    Comma,
    Colon,
    Dot,
    /// `..`
    DotDot,
    /// `...`
    Ellipsis,
    /// `=`
    Assign,
    EqEq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Plus,
    Minus,
    Star,
    Slash,
    SlashSlash,
    Percent,
    StarStar,
    /// `|>`
    PipeOp,
    /// `|`
    Bar,
    Question,
    /// `??`
    QuestionQuestion,
    /// `=>`
    FatArrow,
    /// `->`
    Arrow,
    /// The end of the file, or of the brackets that are being read. Never in a tree.
    Eof,

    // Nodes: the file and its items.
    File,
    /// `import ./lib.mlp as lib`
    ImportFile,
    /// `import std.nn as n`, `import std.{nn, ml}`
    ImportStd,
    Param,
    TypeItem,
    EnumItem,
    Variant,
    VariantField,
    FnItem,
    TypeParams,
    FnParams,
    FnParam,
    /// The lone `*` among the parameters.
    Star1,
    Binding,

    // Expressions.
    Literal,
    StringExpr,
    Interp,
    PathExpr,
    /// A lower-case name.
    NameRef,
    /// An upper-case name.
    ConRef,
    Paren,
    List,
    ListFor,
    Record,
    RecordFor,
    Spread,
    Field,
    /// `[key]: value` in braces.
    ComputedField,
    ForClause,
    IfClause,
    /// Operands and operators of one level: `a + b - c`, `a or b`, `a ?? b`, `a == b`, `a ** b`.
    Chain,
    Pipe,
    NotExpr,
    NegExpr,
    /// A primary expression and its suffixes.
    Postfix,
    DotSuffix,
    CallSuffix,
    IndexSuffix,
    TypeArgs,
    Arg,
    IfExpr,
    MatchExpr,
    Arm,
    Guard,
    /// `let` lines and the result.
    Lets,
    LetLine,
    Lambda,
    LambdaParam,
    ImportData,

    // Types.
    NamedType,
    Dims,
    FnType,
    FnTypeParams,
    TypeofType,
    ParenType,
    RecordType,
    RecordTypeField,
    OptionalType,

    // Patterns.
    WildcardPat,
    BindPat,
    LiteralPat,
    RecordPat,
    PatField,
    VariantPat,
    PatArgs,
    PatArg,

    /// What did not parse.
    ErrorNode,
}

impl SyntaxKind {
    /// Whether the grammar does not see it.
    pub fn is_trivia(self) -> bool {
        self <= SyntaxKind::Junk
    }

    /// Whether it is a word that cannot be a name.
    pub fn is_reserved(self) -> bool {
        (SyntaxKind::If..=SyntaxKind::For).contains(&self)
    }

    /// Whether it can label a field or argument: any name or word.
    pub fn is_label(self) -> bool {
        (SyntaxKind::Lname..=SyntaxKind::For).contains(&self)
    }

    /// Whether a node of this kind is an expression.
    pub fn is_expr(self) -> bool {
        use SyntaxKind::{
            Chain, ConRef, ErrorNode, IfExpr, ImportData, Lambda, Lets, List, ListFor, Literal, MatchExpr,
            NameRef, NegExpr, NotExpr, Paren, PathExpr, Pipe, Postfix, Record, RecordFor, StringExpr,
        };
        matches!(
            self,
            Literal
                | StringExpr
                | PathExpr
                | NameRef
                | ConRef
                | Paren
                | List
                | ListFor
                | Record
                | RecordFor
                | Chain
                | Pipe
                | NotExpr
                | NegExpr
                | Postfix
                | IfExpr
                | MatchExpr
                | Lets
                | Lambda
                | ImportData
                | ErrorNode
        )
    }

    /// Whether a node of this kind is a written type.
    pub fn is_type(self) -> bool {
        use SyntaxKind::{FnType, NamedType, OptionalType, ParenType, RecordType, TypeofType};
        matches!(
            self,
            NamedType | FnType | TypeofType | ParenType | RecordType | OptionalType
        )
    }

    /// Whether a node of this kind is a pattern.
    pub fn is_pattern(self) -> bool {
        use SyntaxKind::{BindPat, LiteralPat, RecordPat, VariantPat, WildcardPat};
        matches!(self, WildcardPat | BindPat | LiteralPat | RecordPat | VariantPat)
    }
}

/// The reserved word `text` is, if it is one.
pub(crate) fn reserved(text: &str) -> Option<SyntaxKind> {
    Some(match text {
        "if" => SyntaxKind::If,
        "then" => SyntaxKind::Then,
        "else" => SyntaxKind::Else,
        "match" => SyntaxKind::Match,
        "let" => SyntaxKind::Let,
        "fn" => SyntaxKind::Fn,
        "true" => SyntaxKind::True,
        "false" => SyntaxKind::False,
        "null" => SyntaxKind::Null,
        "and" => SyntaxKind::And,
        "or" => SyntaxKind::Or,
        "not" => SyntaxKind::Not,
        "import" => SyntaxKind::Import,
        "for" => SyntaxKind::For,
        _ => return None,
    })
}
