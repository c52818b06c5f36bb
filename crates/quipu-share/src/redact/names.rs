//! Names of keys and passwords: `DB_PASS`, `api_keys`, `AccountKey`, `x-auth-token`.
//!
//! A name is split into words, so that `tokenizer`, `token_count` and `next_page_token` are not mistaken for names of tokens. Not here:
//! where a name and its value stand in a text (`assigned`).

use quipu_model::ordered::sort_by;
use std::sync::LazyLock;

/// Words in order.
type List = LazyLock<Vec<&'static str>>;

/// How a value must look to be a secret under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// Anything but a word for “nothing”.
    Anything,
    /// Something with a digit: a PIN.
    Digit,
    /// Something that looks like a key: names like these have other uses, too.
    Key,
}

/// Words of which the last one of a name may be the end of, in any case: `PGPASSWORD`, `myApiKey`.
static ENDS: List = LazyLock::new(|| {
    sorted(
        "password passwort kennwort passwd passphrase passcode pwd secret apikey accesskey secretkey privatekey authkey accountkey \
sharedkey masterkey signingkey encryptionkey licensekey appkey sshkey clientkey apisecret clientsecret authtoken accesstoken bearertoken \
refreshtoken sessiontoken idtoken apitoken bottoken authorization authorisation credential cred cookie cookies providerdata accesskeyid \
secretaccesskey dockerconfigjson mnemonic jsessionid phpsessid aspxauth",
    )
});

/// Last words that are secrets on their own.
static WORDS: List = LazyLock::new(|| sorted("auth bearer jwt"));

/// Last words of short numbers.
static NUMBERS: List = LazyLock::new(|| sorted("pin pincode otp totp cvv cvc"));

/// Last words that need a look at the value.
static DOUBTFUL: List = LazyLock::new(|| sorted("pat sas signature sig key"));

/// Words after which `key` or `keys` opens something.
static OPENS: List = LazyLock::new(|| {
    sorted(
        "api access secret private auth account encryption encrypt signing sign master service client shared ssh license licence \
admin webhook hmac jwt rsa dsa ecdsa ed25519 pgp gpg pem ssl tls subscription deploy root consumer ingestion security app application aes \
cipher crypto vault wallet functions",
    )
});

/// Words after which `key` or `keys` is a place, not a secret.
static PLACES: List = LazyLock::new(|| {
    sorted(
        "primary foreign public cache cached partition sort object index group routing idempotency map dict lookup natural \
unique composite row sharding shard hash json metadata attribute attr label field column config option item dedup deduplication order \
ordering message kv bucket arrow answer hot keyboard memory value state prefix namespace trace span data record document translation file \
tag dictionary missing unknown required invalid extra",
    )
});

/// Words after which, or with which, a `token` is a piece of text or a place in a list.
static PIECES: List = LazyLock::new(|| {
    sorted(
        "eos bos pad unk sep cls mask stop special page next continuation cursor sync first last max min num per prompt \
completion input output total cached reasoning image text audio added end start begin draft generated sampled decoded predicted time \
each think thinking tik sentence word sub",
    )
});

/// Words before `tokens` that make them secrets.
static TOKENS: List = LazyLock::new(|| {
    sorted("api access auth refresh session bearer id secret bot deploy user service oauth personal csrf device push security")
});

/// Words before `pass` that make it a round, and words that only end like it.
static ROUNDS: List = LazyLock::new(|| {
    sorted(
        "first second third single two multi one forward backward render boarding full dry each per final last by bypass compass \
overpass underpass encompass surpass trespass next",
    )
});

/// Words at the end of a name that say nothing about what it is.
static TAILS: List = LazyLock::new(|| {
    sorted(
        "pem b64 base64 value val string str plain plaintext raw enc encrypted encoded decoded hash hashed digest old new current \
previous prod production dev development test testing staging live sandbox default confirm confirmation again repeat env header param json \
primary secondary main",
    )
});

/// Services whose names in a name suggest that its value is a key.
static SERVICES: List = LazyLock::new(|| {
    sorted(
        "adafruit adobe airtable algolia alibaba asana atlassian beamer bitbucket bittrex meraki cloudflare codecov cohere \
coinbase confluent contentful datadog discord droneci dropbox etsy facebook fastly finicity finnhub flickr freshbooks gitter gocardless \
heroku hubspot intercom jfrog artifactory kraken kucoin launchdarkly linkedin looker mailchimp mailgun mapbox mattermost messagebird \
netlify newrelic nytimes okta plaid privateai rapidapi sendbird snyk sonar squarespace sumologic telegram travis travisci twilio twitch \
twitter yandex zendesk wandb serper firecrawl",
    )
});

/// Last words of a service's name that make its value something else.
static OTHERS: List = LazyLock::new(|| {
    sorted(
        "id ids url uri host region model name version trace release environment email user username account path file type \
bucket project team org organization workspace zone port",
    )
});

/// The most bytes of a name that are read, from its end.
const MOST: usize = 64;

/// How values under a name must look to be secrets; `None` if the name is not that of a secret.
pub(super) fn wanted(name: &str) -> Option<Wants> {
    let from = (name.len().saturating_sub(MOST)..=name.len()).find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    let joined = words(name.get(from..).unwrap_or_default());
    let mut words: Vec<&str> = joined.split('_').filter(|word| !word.is_empty()).collect();
    let of_service = |words: &[&str], last: &str| words.iter().any(|word| in_list(&SERVICES, word)) && !in_list(&OTHERS, last);
    if !may_be_secret(name) {
        return of_service(&words, words.last()?).then_some(Wants::Key);
    }
    while words.len() > 1 && words.last().is_some_and(|last| is_number(last) || in_list(&TAILS, last)) {
        words.pop();
    }
    let (last, before) = words.split_last()?;
    let last = last.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let one = match last.strip_suffix('s') {
        Some(one) if one.len() > 2 && !one.ends_with('s') => one,
        _ => last,
    };
    let previous = before.last().copied().unwrap_or_default();
    let follows = |list: &List| in_list(list, previous);
    let tail = |count: usize| words.get(words.len().saturating_sub(count)..).unwrap_or_default().concat();
    if in_list(&PIECES, last) && before.is_empty() {
        return None;
    }
    if one == "token" {
        let is_piece = before.iter().any(|word| in_list(&PIECES, word));
        let is_secret = if last == "token" { !is_piece } else { follows(&TOKENS) };
        return is_secret.then_some(Wants::Anything);
    }
    if one == "key" {
        return if follows(&OPENS) {
            Some(Wants::Anything)
        } else if follows(&PLACES) {
            None
        } else {
            Some(Wants::Key)
        };
    }
    if last.ends_with("pass") {
        return if in_list(&ROUNDS, last) || last == "pass" && follows(&ROUNDS) {
            None
        } else if before.is_empty() && last == "pass" {
            Some(Wants::Key)
        } else {
            Some(Wants::Anything)
        };
    }
    if one == "phrase" || one == "code" {
        let is_secret = matches!(previous, "recovery" | "backup") || one == "phrase" && matches!(previous, "pass" | "seed" | "secret");
        return is_secret.then_some(Wants::Anything);
    }
    if ends_in(one) || in_list(&WORDS, last) || in_list(&ENDS, &tail(2)) || in_list(&ENDS, &tail(3)) {
        return Some(Wants::Anything);
    }
    // `eostoken` is a piece, `mytoken` is not.
    if let Some(head) = last.strip_suffix("token") {
        return (!in_list(&PIECES, head)).then_some(Wants::Anything);
    }
    if in_list(&NUMBERS, last) {
        return Some(Wants::Digit);
    }
    let doubtful = in_list(&DOUBTFUL, one) || last == "id" && previous == "secret";
    (of_service(&words, last) || doubtful).then_some(Wants::Key)
}

/// Whether a word may be the name of a secret, or a part of one: it holds a stem of such a name.
pub(super) fn may_be_secret(word: &str) -> bool {
    let stems: fn(u8) -> &'static [&'static str] = |first| match first {
        b'a' => &["auth", "aspx"],
        b'b' => &["bearer"],
        b'c' => &["cred", "cookie", "cvv", "cvc", "code"],
        b'd' => &["dockerconfig"],
        b'j' => &["jwt", "jsession"],
        b'k' => &["key", "kennwort"],
        b'm' => &["mnemonic"],
        b'o' => &["otp"],
        b'p' => &["pass", "pwd", "pin", "pat", "phrase", "phpsess", "provider"],
        b's' => &["secret", "sig", "sas"],
        b't' => &["token", "totp"],
        _ => &[],
    };
    let bytes = word.as_bytes();
    let is_at = |at: usize, stem: &str| bytes.get(at..at + stem.len()).is_some_and(|part| part.eq_ignore_ascii_case(stem.as_bytes()));
    bytes.iter().enumerate().any(|(at, byte)| stems(byte.to_ascii_lowercase()).iter().any(|stem| is_at(at, stem)))
}

/// Whether values under the name are secrets whatever they look like.
pub(super) fn is_secret(name: &str) -> bool {
    wanted(name) == Some(Wants::Anything)
}

fn ends_in(word: &str) -> bool {
    ENDS.iter().any(|end| word.ends_with(end))
}

fn in_list(list: &List, word: &str) -> bool {
    list.binary_search(&word).is_ok()
}

pub(super) fn sorted(words: &'static str) -> Vec<&'static str> {
    let mut words: Vec<&str> = words.split_ascii_whitespace().collect();
    sort_by(&mut words, Ord::cmp);
    words
}

fn is_number(word: &str) -> bool {
    word.strip_prefix('v').unwrap_or(word).bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of a name in lower case, separated by `_`: `dbPassword` and `DB-Password` are both `db_password`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let next_is_lower = letters.peek().is_some_and(char::is_ascii_lowercase);
        let begins = letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_uppercase() && next_is_lower);
        let is_letter = letter.is_ascii_alphanumeric() || !letter.is_ascii();
        if begins || !is_letter {
            words.push('_');
        }
        if is_letter {
            words.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_names_that_only_contain_their_words() {
        let of = |wants: Option<Wants>, names: &str| {
            for name in names.split_ascii_whitespace() {
                assert_eq!(wanted(name), wants, "{name}");
                // The name of a service marks a secret only where a value is assigned to it.
                let is_service = in_list(&SERVICES, name.split('_').next().unwrap_or_default());
                assert!(wants.is_none() || is_service || may_be_secret(name), "{name}");
            }
        };
        of(
            Some(Wants::Anything),
            "password DB_PASS db_pass PGPASSWORD dbPassword DBPassword passwd pwd MYSQL_PWD api_key api_keys api_key_1 apikey apiKey \
             API-KEY x-api-key private_key private_key_pem AccountKey SharedAccessKey accessKeyId secret_access_key \
             aws_secret_access_key token auth_token authToken access_token access_tokens refreshToken id_token mytoken client_secret \
             clientSecret secrets secret_value authorization Proxy-Authorization cookie Set-Cookie cookies credentials creds \
             password_hash password_confirmation passphrase encryption_key ssh_key OPENAI_API_KEY GROQ_API_KEY_2 provider_data \
             providerData basic_auth auth bearer jwt smtppass keypass passwords2 http.request.header.authorization \
             X-Amz-Credential JSESSIONID seed_phrase recovery_codes db_password_prod \
             a_name_that_is_so_long_that_only_its_end_is_looked_at_which_says_that_it_is_a_password",
        );
        of(Some(Wants::Digit), "pin otp card_cvv user_pin");
        of(Some(Wants::Key), "key OPENAI_KEY my_key X-Amz-Signature signature pass github_pat heroku okta_prod datadog secret_id");
        of(
            None,
            "max_tokens tiktoken token_count tokenizer tokens prompt_tokens next_page_token page_token eos_token eos_token_id \
             bos_token total_tokens cache_key primary_key public_key publicKey idempotency_key sort_keys monkey turkey keyboard \
             key_id keys_count passed pass_rate bypass compass first_pass password_required password_length secretary secret_name \
             secret_santa token_type tokenize input_tokens_details author authority authors authenticated cookiecutter keyword \
             sentry_trace okta_url twilio_id model id text hash value json",
        );
        assert_eq!(wanted("next page token"), None);
        assert_eq!(wanted("the API key"), Some(Wants::Anything));
    }
}
