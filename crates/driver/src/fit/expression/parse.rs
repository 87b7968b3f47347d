//! From words to a tape, by two stacks (E. W. Dijkstra's shunting yard): no recursion at any depth.
//!
//! From loose to tight: `+ -`, then `* /`, then a sign in front, then `^` (also `**`), which associates to the
//! right and takes a sign in its exponent: `-x^2 = -(x^2)`, `2^-x^2 = 2^(-(x^2))`, `a^b^c = a^(b^c)`. Those are
//! the rules of Python, R, gnuplot and Fortran.

use std::collections::BTreeMap;
use std::f64::consts::{E, PI};

use super::error::ExpressionError;
use super::function::Function;
use super::tape::{Binary, Node, Tape};
use super::token::{Token, Word, tokens};

/// The names that an expression may use, and those that it may not.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// Columns of the data.
    pub columns: &'a [String],
    /// Parameters, to be fitted.
    pub parameters: &'a [String],
    /// Columns that the model cannot use, each with what it is ("response", "column of weights").
    pub reserved: &'a [(String, &'static str)],
}

/// What waits for its right operand or its closing parenthesis.
enum Pending {
    /// A minus sign in front.
    Minus,
    Operator(Binary),
    Open(Opened),
}

/// An open parenthesis.
#[derive(Clone, Copy)]
struct Opened {
    at: usize,
    /// The function that it belongs to: its name, and where that stands.
    call: Option<(Function, &'static str, usize)>,
    /// Commas since.
    commas: usize,
}

/// How tightly a sign in front binds, among [`tightness`].
const SIGN: u8 = 3;

/// How tightly an operator binds.
fn tightness(operator: Binary) -> u8 {
    match operator {
        Binary::Add | Binary::Subtract => 1,
        Binary::Multiply | Binary::Divide => 2,
        _ => 4,
    }
}

/// An expression under construction.
struct Parser<'a> {
    names: Names<'a>,
    /// What a name stands for that no parenthesis follows.
    values: BTreeMap<&'a str, Node>,
    tape: Tape,
    /// Nodes whose values wait for an operation.
    operands: Vec<usize>,
    pending: Vec<Pending>,
    /// Which parameters have occurred.
    occurs: Vec<bool>,
}

/// The tape of `text`.
pub(super) fn parse(text: &str, names: Names<'_>) -> Result<Tape, ExpressionError> {
    let values = values(names)?;
    let words = tokens(text)?;
    let mut parser = Parser {
        names,
        values,
        tape: Tape::default(),
        operands: Vec::new(),
        pending: Vec::new(),
        occurs: vec![false; names.parameters.len()],
    };
    let mut words = words.iter().peekable();
    let mut wants_operand = true;
    while let Some(token) = words.next() {
        wants_operand = match &token.word {
            // A name before a parenthesis is a function, whatever else has that name.
            Word::Name(name) if wants_operand => {
                match words.next_if(|next| next.word == Word::Open) {
                    Some(open) => parser.call(token, name, open.at)?,
                    None => parser.named(token, name, words.peek().copied())?,
                }
            }
            _ if wants_operand => parser.operand(token)?,
            _ => parser.operator(token)?,
        };
    }
    if wants_operand {
        let at = text.chars().count() + 1;
        return Err(missing(at, "a number, name or function", None));
    }
    if let Some(opened) = parser.close(0) {
        return Err(missing(opened.at, "a closing parenthesis", None));
    }
    if let Some(unused) = parser.occurs.iter().position(|occurs| !occurs) {
        return Err(ExpressionError::Unused { name: names.parameters[unused].clone() });
    }
    Ok(parser.tape)
}

impl Parser<'_> {
    /// Takes a word where an operand begins; says whether one is still wanted.
    fn operand(&mut self, token: &Token) -> Result<bool, ExpressionError> {
        match &token.word {
            Word::Number(value) => self.put(Node::Constant(*value)),
            Word::Column(name) => match self.values.get(name.as_str()) {
                Some(&node @ Node::Column(_)) => self.put(node),
                _ => return Err(self.unknown(token.at, name)),
            },
            Word::Open => {
                self.pending.push(Pending::Open(Opened { at: token.at, call: None, commas: 0 }));
                return Ok(true);
            }
            Word::Operator('-') => {
                self.pending.push(Pending::Minus);
                return Ok(true);
            }
            Word::Operator('+') => return Ok(true),
            _ => return Err(missing(token.at, "a number, name or function", Some(token))),
        }
        Ok(false)
    }

    /// Opens a function's parenthesis, which stands at `open`.
    fn call(&mut self, token: &Token, name: &str, open: usize) -> Result<bool, ExpressionError> {
        let Some((name, function)) = Function::named(name) else {
            if self.value(name).is_some() {
                let found = "'('".to_owned();
                return Err(ExpressionError::Expected { at: open, expected: "an operator", found });
            }
            return Err(ExpressionError::Function { at: token.at, name: name.to_owned() });
        };
        let call = Some((function, name, token.at));
        self.pending.push(Pending::Open(Opened { at: open, call, commas: 0 }));
        Ok(true)
    }

    /// Takes a name that no parenthesis follows.
    fn named(
        &mut self,
        token: &Token,
        name: &str,
        next: Option<&Token>,
    ) -> Result<bool, ExpressionError> {
        let Some(node) = self.value(name) else {
            if Function::named(name).is_some() {
                let at = token.at + name.chars().count();
                return Err(missing(at, "( after a function", next));
            }
            return Err(self.unknown(token.at, name));
        };
        self.put(node);
        Ok(false)
    }

    /// Takes a word behind an operand; says whether an operand is wanted next.
    fn operator(&mut self, token: &Token) -> Result<bool, ExpressionError> {
        match token.word {
            Word::Operator(sign) => {
                let operator = match sign {
                    '+' => Binary::Add,
                    '-' => Binary::Subtract,
                    '*' => Binary::Multiply,
                    '/' => Binary::Divide,
                    _ => Binary::Power,
                };
                // Operators of equal tightness wait where they associate to the right.
                let right = u8::from(operator == Binary::Power);
                self.close(tightness(operator) + right);
                self.pending.push(Pending::Operator(operator));
                Ok(true)
            }
            Word::Comma => {
                self.close(0);
                match self.pending.last_mut() {
                    Some(Pending::Open(Opened { call: Some(_), commas, .. })) => *commas += 1,
                    _ => return Err(missing(token.at, "an operator or )", Some(token))),
                }
                Ok(true)
            }
            Word::Close => {
                if self.close(0).is_none() {
                    return Err(missing(token.at, "an operator or the end", Some(token)));
                }
                if let Some(Pending::Open(Opened { call: Some(call), commas, .. })) =
                    self.pending.pop()
                {
                    self.apply(call, commas + 1)?;
                }
                Ok(false)
            }
            _ => Err(missing(token.at, "an operator", Some(token))),
        }
    }

    /// Writes what waits and binds at least as tightly as `least`, up to the innermost open parenthesis, which
    /// is returned where it was reached.
    fn close(&mut self, least: u8) -> Option<Opened> {
        loop {
            match self.pending.last()? {
                Pending::Open(opened) => return Some(*opened),
                Pending::Minus if SIGN < least => return None,
                Pending::Minus => {
                    let x = self.operands.pop()?;
                    self.put(Node::Negate(x));
                }
                Pending::Operator(operator) if tightness(*operator) < least => return None,
                Pending::Operator(operator) => {
                    let operator = *operator;
                    self.combine(operator);
                }
            }
            self.pending.pop();
        }
    }

    /// Replaces the last two operands by one.
    fn combine(&mut self, operator: Binary) {
        if let (Some(y), Some(x)) = (self.operands.pop(), self.operands.pop()) {
            let node = self.tape.binary(operator, x, y);
            self.operands.push(node);
        }
    }

    /// Applies a function to the last `found` operands.
    fn apply(
        &mut self,
        (function, name, at): (Function, &'static str, usize),
        found: usize,
    ) -> Result<(), ExpressionError> {
        let (fewest, most, accepted) = function.arity();
        if found < fewest || found > most {
            return Err(ExpressionError::Arguments { at, name, found, accepted });
        }
        let operator = match function {
            Function::One(function) => {
                if let Some(x) = self.operands.pop() {
                    self.put(Node::Unary(function, x));
                }
                return Ok(());
            }
            Function::Power => Binary::Power,
            Function::Angle => Binary::Angle,
            Function::Least => Binary::Least,
            Function::Largest => Binary::Largest,
        };
        // The least of many is the least of the first and that of the others.
        for _ in 1..found {
            self.combine(operator);
        }
        Ok(())
    }

    fn put(&mut self, node: Node) {
        let node = self.tape.fold(node);
        self.operands.push(node);
    }

    /// What a name stands for.
    fn value(&mut self, name: &str) -> Option<Node> {
        let node = self.values.get(name).copied()?;
        if let Node::Parameter(k) = node {
            self.occurs[k] = true;
        }
        Some(node)
    }

    fn unknown(&self, at: usize, name: &str) -> ExpressionError {
        let (name, columns) = (name.to_owned(), self.names.columns.to_vec());
        if let Some(&(_, role)) = self.names.reserved.iter().find(|(known, _)| *known == name) {
            return ExpressionError::Reserved { at, name, role, columns };
        }
        let parameters = self.names.parameters.to_vec();
        ExpressionError::Name { at, name, columns, parameters }
    }
}

/// Columns and parameters by name, and constants that neither is named like.
fn values(names: Names<'_>) -> Result<BTreeMap<&str, Node>, ExpressionError> {
    let mut values = BTreeMap::from([
        ("pi", Node::Constant(PI)),
        ("PI", Node::Constant(PI)),
        ("e", Node::Constant(E)),
    ]);
    let parameters = names.parameters.iter().enumerate();
    values.extend(parameters.map(|(k, name)| (name.as_str(), Node::Parameter(k))));
    let columns = names.columns.iter().map(|name| (name, "column"));
    let reserved = names.reserved.iter().map(|(name, role)| (name, *role));
    for (k, (name, role)) in columns.chain(reserved).enumerate() {
        if let Some(Node::Parameter(_)) = values.get(name.as_str()) {
            return Err(ExpressionError::Shadowed { name: name.clone(), role });
        }
        if k < names.columns.len() {
            values.insert(name, Node::Column(k));
        }
    }
    Ok(values)
}

/// `expected` was expected at `at`, where `found` or the end stands.
fn missing(at: usize, expected: &'static str, found: Option<&Token>) -> ExpressionError {
    let found = found.map_or("the end".to_owned(), |token| format!("{:?}", token.first));
    ExpressionError::Expected { at, expected, found }
}
