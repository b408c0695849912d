//! `/sign-in`: a page without scripts that swaps a password or a token for a cookie, so that a browser can show boards.
//!
//! The cookie of a user has the secret of a new session, which is an entry of the log. The cookie of a token holds the
//! token itself, so it ends with the token. Scripts cannot read either (`HttpOnly`), and pages of other sites cannot send
//! them (`SameSite=Lax`; [`crate::http::csrf`] refuses them anyway).

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRef, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::actor::Actor;
use super::authority::{Authority, Identified, no_random};
use super::credentials::{COOKIE, LINK_COOKIE, SECURE_COOKIE, SECURE_LINK_COOKIE};
use super::password::Passwords;
use super::principal::{Principal, Who};
use super::secret::Secret;
use super::throttle::Throttle;
use crate::clock;
use crate::http::forwarded::TrustedProxies;
use crate::http::problem::ApiError;
use crate::http::route::{Access, Methods, PUBLIC, Route};
use crate::limits::Limit;
use crate::limits::client::{Client, LimitedClient};
use crate::log::{AuditAction, AuditEvent, SessionRecord, TokenHash, UserChange, UserState};
use crate::plain_text::Plain;
use crate::store::Writer;

/// The path of the page.
pub const PATH: &str = "/sign-in";

/// The most bytes of a form.
const MAX_FORM: usize = 4 << 10;

/// The most bytes of an address to return to.
const MAX_TARGET: usize = 2 << 10;

/// Seconds for which a browser keeps the cookie: 90 days. The token may end earlier.
const MAX_AGE: u32 = 90 * 24 * 3_600;

/// Milliseconds for which a session of a user lasts: 30 days.
const SESSION_MS: u64 = 30 * 24 * 3_600_000;

/// The most characters of a name that is counted in [`Throttle`]. No user has a longer one.
const MAX_NAME: usize = 64;

const STYLE: &str = include_str!("sign_in.css");

const METHODS: Methods = &[("GET", Access::Public), ("POST", Access::Public)];

/// The state of the page.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Knows which tokens are valid.
    pub authority: Authority,
    /// Begins and ends sessions.
    pub writer: Writer,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Slows down the guessing of passwords.
    pub throttle: Arc<Throttle>,
    /// The server speaks HTTPS itself.
    pub is_https: bool,
    /// Proxies that report if the browser used HTTPS.
    pub proxies: TrustedProxies,
}

/// The routes of the page.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    SignIn: FromRef<S>,
    TrustedProxies: FromRef<S>,
{
    let small = DefaultBodyLimit::max(MAX_FORM);
    vec![
        Route::new(PATH, METHODS, get(show).post(sign_in).layer(small)),
        Route::new("/sign-in.css", PUBLIC, get(style)),
        Route::new("/sign-out", &[("POST", Access::Public)], post(sign_out)),
    ]
}

#[derive(Default, Deserialize)]
struct SignInForm {
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    token: String,
    /// The page to return to, as in [`target`].
    #[serde(default)]
    to: String,
}

/// Sends a browser to the page of the sign-in, and from there back to `uri`, the address of a page. `None` if the request
/// does not come from a browser that shows pages.
#[must_use]
pub fn redirect(headers: &HeaderMap, uri: &Uri) -> Option<Response> {
    let accepts_page = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accepts_page.filter(|accept| accept.contains("text/html"))?;
    // Relative, because a proxy may serve all of this below a path.
    let up = if uri.path() == "/" { "." } else { ".." };
    let page = uri.path_and_query().map_or("", |page| page.as_str()).trim_start_matches('/');
    let to = percent_encoding::utf8_percent_encode(page, percent_encoding::NON_ALPHANUMERIC);
    let location = HeaderValue::try_from(format!("{up}{PATH}?to={to}")).ok()?;
    Some((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// Returns a relative address to return to: a page of this server, seen from `/sign-in`. Any other text leads to the
/// page of all boards, so that no link can lead a user to another site.
fn target(to: &str) -> String {
    let path = to.split(['?', '#']).next().unwrap_or_default();
    let is_board = path.strip_prefix("b/").is_some_and(|id| !id.is_empty() && !id.contains(['/', '\\']));
    let is_plain = to.len() <= MAX_TARGET && to.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && (path.is_empty() || is_board) { format!("./{to}") } else { "./".to_owned() }
}

/// `GET /sign-in`: the form, or who is signed in.
async fn show(
    State(state): State<SignIn>,
    principal: Option<Extension<Arc<Principal>>>,
    RawQuery(query): RawQuery,
) -> Response {
    let form: SignInForm = serde_html_form::from_str(query.as_deref().unwrap_or_default()).unwrap_or_default();
    let who = principal.map(|Extension(principal)| principal.who().clone());
    state.page(StatusCode::OK, &form.to, None, who.as_ref())
}

/// `POST /sign-in`: sets the cookie and leads back to the page that asked for it.
///
/// # Errors
/// [`ApiError::TooLarge`] for a long form.
async fn sign_in(
    State(state): State<SignIn>,
    client: Option<Extension<Client>>,
    actor: Actor,
    limited: LimitedClient,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(MAX_FORM),
        _ => ApiError::Malformed(format!("the body broke off: {}", rejection.body_text())),
    })?;
    let form: SignInForm = serde_html_form::from_bytes(&body).unwrap_or_default();
    let client = client.map(|Extension(client)| client);
    if form.token.is_empty() {
        let former = state.authority.session(&headers, &uri);
        return state.with_password(form, former, limited, client, &headers, &actor).await;
    }
    let SignInForm { token, to, .. } = form;
    let token = token.trim();
    let wrong = |why| Ok(state.page(StatusCode::UNAUTHORIZED, &to, Some(why), None));
    let Some(bearer) = HeaderValue::try_from(format!("Bearer {token}")).ok() else { return wrong(UNKNOWN) };
    let presented = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
    let Identified { principal, is_refused } = state.authority.identify(&presented, &Uri::from_static(PATH), None);
    if is_refused {
        return wrong(UNKNOWN);
    }
    if !principal.capability().reads_something() {
        return wrong("This token may not read anything.");
    }
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, target(&to))]).into_response();
    if matches!(principal.who(), Who::Token(_)) {
        let cookie = state.cookie(&headers, client, token, MAX_AGE);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

const PASSWORD_FIELDS: &str = "<label for=\"user\">Name</label>\
     <input id=\"user\" name=\"user\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required autofocus>\
     <label for=\"password\">Password</label>\
     <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
     <button>Sign in</button>";

const TOKEN_FIELDS: &str = "<label for=\"token\">Token</label>\
     <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"off\" spellcheck=\"false\" required>\
     <button>Sign in</button>";

const HINT: &str = "<p class=\"hint\">An administrator makes a token with \
     <code>pulseboard token create NAME --read '**'</code>, or adds a user with <code>pulseboard user add NAME</code>.</p>";

const UNKNOWN: &str = "This token is not valid here.";

/// `POST /sign-out`: removes the cookie, and ends the session of a user. A token stays valid.
///
/// # Errors
/// [`ApiError::Unavailable`] if the session cannot be ended now.
async fn sign_out(
    State(state): State<SignIn>,
    actor: Actor,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if let Some(session) = state.authority.session(&headers, &uri) {
        // It may have ended meanwhile.
        let by = actor.by(AuditAction::SignedOut, "", "");
        let _ended = state.writer.change_user(UserChange::EndSession(session), by).await?;
    }
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, ".".to_owned() + PATH)]).into_response();
    let names = [(COOKIE, ""), (LINK_COOKIE, ""), (SECURE_COOKIE, "; Secure"), (SECURE_LINK_COOKIE, "; Secure")];
    for (name, secure) in names {
        let cookie = format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}");
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::try_from(cookie).expect("it is plain ASCII"));
    }
    Ok(response)
}

async fn style() -> Response {
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, STYLE).into_response()
}

impl SignIn {
    /// Checks name and password, and begins a session. It replaces `former`, the session that the browser had.
    async fn with_password(
        &self,
        SignInForm { user, password, to, .. }: SignInForm,
        former: Option<TokenHash>,
        LimitedClient(address): LimitedClient,
        client: Option<Client>,
        headers: &HeaderMap,
        actor: &Actor,
    ) -> Result<Response, ApiError> {
        let shown: String = user.trim().chars().take(MAX_NAME).collect();
        if let Err(seconds) = self.throttle.begin(&shown, address, clock::now().up) {
            let why = format!("There were too many failed tries. Try again in {} min.", seconds.div_ceil(60));
            let mut response = self.page(StatusCode::TOO_MANY_REQUESTS, &to, Some(&why), None);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response.extensions_mut().insert(Limit::SignIns);
            return Ok(response);
        }
        let known = user.trim().parse().ok().and_then(|name| self.authority.user(&name));
        let hash = known.as_ref().map(|state| state.user.password.clone());
        let is_right = self.passwords.verify(password, hash).await?;
        let Some(UserState { user, .. }) = known.filter(|_| is_right) else {
            tracing::warn!(user = %Plain(&shown), address = ?client.map(Client::address), "a sign-in failed");
            // Not awaited: a known and an unknown name take the same time.
            self.note(actor.event(AuditAction::SignInFailed, &shown, ""));
            return Ok(self.page(StatusCode::UNAUTHORIZED, &to, Some("The name or the password is wrong."), None));
        };
        self.throttle.succeeded(&shown, address);
        if !user.capability.reads_something() {
            return Ok(self.page(StatusCode::UNAUTHORIZED, &to, Some("This user may not read anything."), None));
        }
        if let Some(former) = former {
            let _ended = self.writer.change_user(UserChange::EndSession(former), None).await?;
        }
        let (secret, created) = (Secret::draw().map_err(no_random)?, clock::now().wall);
        let (hash, expires) = (secret.hash(), created.plus(SESSION_MS));
        let by = actor.named(Who::User(user.name.clone()).to_string()).by(AuditAction::SignedIn, "", "");
        let session = SessionRecord { hash, user: user.name, created, expires };
        let UserState { user, .. } = self.writer.change_user(UserChange::BeginSession(session), by).await??;
        tracing::info!(user = %user.name, "a user signed in");
        let max_age = u32::try_from(SESSION_MS / 1_000).unwrap_or(u32::MAX);
        let cookie = self.cookie(headers, client, secret.reveal(), max_age);
        let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, target(&to))]).into_response();
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    /// Adds an event to the audit log in the background.
    fn note(&self, event: AuditEvent) {
        let writer = self.writer.clone();
        tokio::spawn(async move {
            if let Err(error) = writer.add_event(event).await {
                tracing::warn!(%error, "the audit log lacks a failed sign-in");
            }
        });
    }

    /// Makes the header that sets the cookie of a sign-in.
    fn cookie(&self, headers: &HeaderMap, client: Option<Client>, token: &str, max_age: u32) -> HeaderValue {
        self.cookie_of([COOKIE, SECURE_COOKIE], headers, client, token, max_age)
    }

    /// Makes the header that sets the cookie of a link.
    #[must_use]
    pub fn link_cookie(&self, headers: &HeaderMap, client: Option<Client>, token: &str, max_age: u32) -> HeaderValue {
        self.cookie_of([LINK_COOKIE, SECURE_LINK_COOKIE], headers, client, token, max_age)
    }

    /// Makes the page for a link that is not valid.
    #[must_use]
    pub fn no_link(&self) -> Response {
        let why = "This link does not exist, has expired, or was revoked. Ask its maker for another.";
        self.page(StatusCode::NOT_FOUND, "", Some(why), None)
    }

    /// Makes the header that sets a cookie: of the first name over plain HTTP, of the second over HTTPS. `token` was found to
    /// be valid, so it is plain ASCII.
    fn cookie_of(
        &self,
        [plain, encrypted]: [&str; 2],
        headers: &HeaderMap,
        client: Option<Client>,
        token: &str,
        max_age: u32,
    ) -> HeaderValue {
        let (name, secure) = if self.is_https || self.proxies.reports_https(headers, client) {
            (encrypted, "; Secure")
        } else {
            (plain, "")
        };
        let cookie = format!("{name}={token}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
        let mut cookie = HeaderValue::try_from(cookie).expect("a token is plain ASCII");
        cookie.set_sensitive(true);
        cookie
    }
}

impl SignIn {
    /// Writes the page. `to` is the page to return to.
    fn page(&self, status: StatusCode, to: &str, wrong: Option<&str>, who: Option<&Who>) -> Response {
        let has_users = self.authority.users().iter().any(|state| state.user.removed.is_none());
        page(status, to, wrong, who, has_users)
    }
}

fn page(status: StatusCode, to: &str, wrong: Option<&str>, who: Option<&Who>, has_users: bool) -> Response {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in · Pulseboard</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"stylesheet\" href=\"./sign-in.css\"></head>\
         <body><main><h1>Pulseboard</h1>",
    );
    let signed_in = match who {
        Some(Who::Token(name)) => Some(format!("with the token <b>{}</b>", escaped(name.as_str()))),
        Some(Who::User(name)) => Some(format!("as <b>{}</b>", escaped(name.as_str()))),
        _ => None,
    };
    if let Some(signed_in) = signed_in {
        let boards = escaped(&target(to));
        write(
            &mut html,
            format_args!("<p>You are signed in {signed_in}.</p><p><a href=\"{boards}\">Go to the boards</a></p>"),
        );
        html.push_str("<form method=\"post\" action=\"./sign-out\"><button>Sign out</button></form>");
    } else {
        if let Some(wrong) = wrong {
            write(&mut html, format_args!("<p class=\"wrong\" role=\"alert\">{}</p>", escaped(wrong)));
        }
        let start = format!(
            "<form method=\"post\" action=\"./sign-in\"><input type=\"hidden\" name=\"to\" value=\"{}\">",
            escaped(to)
        );
        if has_users {
            write(&mut html, format_args!("{start}{PASSWORD_FIELDS}</form>"));
            write(
                &mut html,
                format_args!("<details><summary>Sign in with a token</summary>{start}{TOKEN_FIELDS}</form></details>"),
            );
        } else {
            write(&mut html, format_args!("{start}{TOKEN_FIELDS}</form>{HINT}"));
        }
    }
    html.push_str("</main></body></html>\n");
    let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"pulseboard\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn write(html: &mut String, text: std::fmt::Arguments<'_>) {
    html.write_fmt(text).expect("writing to a String succeeds");
}

/// Escapes a text for HTML, also within quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_leads_back_to_a_page_of_this_server_and_nowhere_else() {
        for (to, wanted) in [
            ("", "./"),
            ("?kiosk&boards=a,b", "./?kiosk&boards=a,b"),
            ("b/ops", "./b/ops"),
            ("b/ops?range=6h", "./b/ops?range=6h"),
            ("b/k%C3%BCche", "./b/k%C3%BCche"),
        ] {
            assert_eq!(target(to), wanted);
        }
        for evil in [
            "//evil.example",
            "/b/ops",
            "https://evil.example",
            "b/../..//evil.example",
            "b/\\evil",
            "javascript:alert(1)",
            "b/",
            "b/a\r\nSet-Cookie: x=y",
            "api/tokens",
            "b/ü",
            &"?".repeat(MAX_TARGET + 1),
        ] {
            assert_eq!(target(evil), "./", "{evil:?}");
        }
    }

    #[test]
    fn browser_is_sent_to_the_sign_in_with_the_way_back_and_a_program_is_not() {
        let to = |accept: &'static str, uri: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            let response = redirect(&headers, &Uri::from_static(uri))?;
            Some(response.headers()[header::LOCATION].to_str().unwrap().to_owned())
        };
        let browser = "text/html,application/xhtml+xml;q=0.9";
        assert_eq!(to(browser, "/").as_deref(), Some("./sign-in?to="));
        assert_eq!(to(browser, "/b/ops?range=6h").as_deref(), Some("../sign-in?to=b%2Fops%3Frange%3D6h"));
        assert_eq!(to("*/*", "/"), None);
    }

    #[test]
    fn text_in_the_page_is_escaped() {
        assert_eq!(escaped("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }
}
