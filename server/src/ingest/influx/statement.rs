//! Parses the InfluxQL statements that clients send before they write.

/// The most statements of a request.
const MAX_STATEMENTS: usize = 100;

/// A supported statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// `CREATE DATABASE`, with the name of the database.
    CreateDatabase(String),
    /// `SHOW DATABASES`.
    ShowDatabases,
    /// `CREATE RETENTION POLICY` or `ALTER RETENTION POLICY`.
    SetRetention,
    /// `SHOW RETENTION POLICIES`.
    ShowRetention,
}

/// Reasons why a query is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    /// A quote is not closed.
    #[error("error parsing query: a quote has no end")]
    Unclosed,
    /// A name is missing.
    #[error("error parsing query: found {0}, expected identifier")]
    NoName(String),
    /// There is no statement.
    #[error("missing required parameter \"q\"")]
    Nothing,
    /// There are too many statements.
    #[error("error parsing query: there are over {MAX_STATEMENTS} statements; send fewer")]
    TooMany,
    /// The statement is not supported.
    #[error(
        "error parsing query: {0} is not known here, only CREATE DATABASE, SHOW DATABASES, CREATE RETENTION POLICY and SHOW RETENTION POLICIES; to read series use GET /api/series and GET /api/history, to remove one DELETE /api/series/SERIES"
    )]
    Unknown(String),
}

/// A token: a word, a quoted name or text, or another character.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Other(char),
}

impl Token {
    fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn text(&self) -> String {
        match self {
            Self::Word(text) | Self::Quoted(text) => text.clone(),
            Self::Other(c) => c.to_string(),
        }
    }
}

/// Parses a query: statements separated by `;`.
pub(super) fn parse(query: &str) -> Result<Vec<Statement>, QueryError> {
    let tokens = tokens(query)?;
    let all: Vec<_> = tokens
        .split(|token| *token == Token::Other(';'))
        .filter(|tokens| !tokens.is_empty())
        .take(MAX_STATEMENTS + 1)
        .collect();
    match all.len() {
        0 => Err(QueryError::Nothing),
        count if count > MAX_STATEMENTS => Err(QueryError::TooMany),
        _ => all.into_iter().map(statement).collect(),
    }
}

fn statement(tokens: &[Token]) -> Result<Statement, QueryError> {
    let begins =
        |words: &[&str]| words.len() <= tokens.len() && words.iter().zip(tokens).all(|(word, token)| token.is(word));
    if begins(&["CREATE", "DATABASE"]) {
        // Old clients send `IF NOT EXISTS`. A quoted name is another token, so it is not mistaken for these words.
        let name = if begins(&["CREATE", "DATABASE", "IF", "NOT", "EXISTS"]) { tokens.get(5) } else { tokens.get(2) };
        return match name {
            Some(Token::Word(name) | Token::Quoted(name)) => Ok(Statement::CreateDatabase(name.clone())),
            Some(Token::Other(other)) => Err(QueryError::NoName(other.to_string())),
            None => Err(QueryError::NoName("EOF".to_owned())),
        };
    }
    if begins(&["SHOW", "DATABASES"]) {
        Ok(Statement::ShowDatabases)
    } else if begins(&["CREATE", "RETENTION", "POLICY"]) || begins(&["ALTER", "RETENTION", "POLICY"]) {
        Ok(Statement::SetRetention)
    } else if begins(&["SHOW", "RETENTION", "POLICIES"]) {
        Ok(Statement::ShowRetention)
    } else {
        let words: Vec<_> = tokens.iter().take(2).map(Token::text).collect();
        Err(QueryError::Unknown(words.join(" ").chars().take(80).collect()))
    }
}

fn tokens(query: &str) -> Result<Vec<Token>, QueryError> {
    let mut tokens = Vec::new();
    let mut rest = query.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_whitespace() {
            continue;
        }
        let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
        if is_part(&c) {
            let mut word = String::from(c);
            while let Some(c) = rest.next_if(is_part) {
                word.push(c);
            }
            tokens.push(Token::Word(word));
        } else if matches!(c, '"' | '\'') {
            let mut text = String::new();
            loop {
                match rest.next().ok_or(QueryError::Unclosed)? {
                    '\\' => text.push(rest.next().ok_or(QueryError::Unclosed)?),
                    end if end == c => break,
                    other => text.push(other),
                }
            }
            tokens.push(Token::Quoted(text));
        } else {
            tokens.push(Token::Other(c));
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_by_which_clients_begin_are_understood() {
        let create = |name: &str| Statement::CreateDatabase(name.to_owned());
        for (query, wanted) in [
            ("CREATE DATABASE telegraf", vec![create("telegraf")]),
            ("CREATE DATABASE \"telegraf\"", vec![create("telegraf")]),
            ("create database \"a \\\"b\\\";c\"", vec![create("a \"b\";c")]),
            ("CREATE DATABASE IF NOT EXISTS x", vec![create("x")]),
            ("CREATE DATABASE x WITH DURATION 3d REPLICATION 1 NAME \"y\"", vec![create("x")]),
            ("SHOW DATABASES", vec![Statement::ShowDatabases]),
            (" show  databases ; ;\n", vec![Statement::ShowDatabases]),
            ("SHOW DATABASES;", vec![Statement::ShowDatabases]),
            ("CREATE DATABASE a;SHOW DATABASES", vec![create("a"), Statement::ShowDatabases]),
            ("CREATE RETENTION POLICY \"a\" ON \"b\" DURATION 1h REPLICATION 1 DEFAULT", vec![Statement::SetRetention]),
            ("SHOW RETENTION POLICIES ON \"b\"", vec![Statement::ShowRetention]),
        ] {
            assert_eq!(parse(query), Ok(wanted), "{query}");
        }
    }

    #[test]
    fn anything_else_is_answered_with_what_there_is() {
        let error = |query| parse(query).unwrap_err().to_string();
        assert!(error("SELECT * FROM \"cpu\"").starts_with("error parsing query: SELECT * is not known here"));
        assert!(error("SHOW DATABASES; DROP DATABASE x").contains("DROP DATABASE is not known here"));
        assert_eq!(error("CREATE DATABASE"), "error parsing query: found EOF, expected identifier");
        assert_eq!(error("CREATE DATABASE ;x"), "error parsing query: found EOF, expected identifier");
        assert_eq!(error("CREATE DATABASE (x)"), "error parsing query: found (, expected identifier");
        assert_eq!(error("CREATE DATABASE \"x"), QueryError::Unclosed.to_string());
        assert_eq!(error(" ; "), QueryError::Nothing.to_string());
        assert_eq!(error(&"SHOW DATABASES;".repeat(101)), QueryError::TooMany.to_string());
    }
}
