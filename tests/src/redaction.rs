//! A trace with a secret in each field, and a search for secrets in any encoding, for tests of redaction.

use quipu::encoding::{base64_url, from_base64};
use quipu::model::{EventRecord, Recording, SpanRecord, TraceRecord};

/// A text together with everything it decodes to.
pub fn texts_in(mut all: String) -> String {
    let plain = all.replace("\\\\", "\\").replace("\\\"", "\"").replace("\\'", "'");
    all.push_str(&plain);
    for run in plain.split(|letter: char| !(letter.is_ascii_alphanumeric() || "+/_-".contains(letter))).filter(|run| run.len() >= 10) {
        for offset in 0..4 {
            let part = run.get(offset..).unwrap_or_default();
            let part = &part[..part.len() - usize::from(part.len() % 4 == 1)];
            all.push_str(&String::from_utf8_lossy(&from_base64(part.as_bytes()).unwrap_or_default()));
            all.push('\n');
        }
    }
    all
}

/// A string as JSON.
pub fn json_of(text: &str) -> String {
    let mut json = String::new();
    quipu::recorded::write_json_string(text, &mut json);
    json
}

/// A trace that contains `secret(n)` in each field, where n is the number of the field. Also returns the number of fields.
pub fn planted(secret: &dyn Fn(usize) -> String) -> (Recording, usize) {
    let count = std::cell::Cell::new(0);
    let plant = || {
        count.set(count.get() + 1);
        secret(count.get())
    };
    let base64 = |text: String| base64_url(text.as_bytes());
    let attributes = [
        format!("{}: 1", json_of(&plant())),
        format!("\"own\": {}", json_of(&plant())),
        format!("\"list\": [1, {{\"a\": {}, {}: 2}}]", json_of(&plant()), json_of(&plant())),
        format!("\"input\": {}", json_of(&format!(r#"[{{"role": "user", "content": {}}}]"#, json_of(&plant())))),
        format!(
            "\"output\": {}",
            json_of(&format!(r#"{{"content": {}, "tool_calls": [{{"arguments": {}}}]}}"#, json_of(&plant()), json_of(&plant())))
        ),
        format!(
            "\"__args__\": {}",
            json_of(&format!("{{'messages': \"[UserMessage(role='user', content='{}')]\", '{}': <Foo {}>}}", plant(), plant(), plant()))
        ),
        format!("\"error\": {}", json_of(&format!("Failed at {{'x': '{}", plant()))),
        format!("\"data\": {}", json_of(&base64(format!("{{\"x\": \"{}\"}}", plant())))),
        format!("\"twice\": {}", json_of(&base64(base64(plant())))),
        format!("\"bytes\": {}", json_of(&format!("b'{}'", plant()))),
        format!("\"escaped\": {}", json_of(&plant().chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect::<String>())),
        format!("\"percent\": {}", json_of(&plant().bytes().map(|byte| format!("%{byte:02x}")).collect::<String>())),
        format!("\"__class__\": {}, \"__ttl__\": {}, \"role\": {}", json_of(&plant()), json_of(&plant()), json_of(&plant())),
        format!("\"raw_path\": {}", json_of(&format!("/v1/agents/{}", plant()))),
        format!("\"session_id\": {}", json_of(&plant())),
    ];
    let some = || Some(plant());
    let recording = Recording {
        traces: vec![TraceRecord {
            trace_id: plant(),
            service_name: some(),
            root_span_id: some(),
            start_time: some(),
            end_time: some(),
            created_at: some(),
        }],
        spans: vec![
            SpanRecord {
                span_id: plant(),
                trace_id: some(),
                parent_span_id: some(),
                name: some(),
                start_time: some(),
                end_time: some(),
                attributes: Some(format!("{{{}}}", attributes.join(", "))),
                status: some(),
                kind: some(),
            },
            SpanRecord {
                name: Some(format!("run_shield_{}", plant())),
                attributes: Some(format!("no JSON: {}", plant())),
                ..SpanRecord::default()
            },
        ],
        events: vec![EventRecord {
            span_id: some(),
            name: some(),
            timestamp: some(),
            attributes: Some(format!(
                "{{\"message\": {}, \"severity\": {}, {}: 1}}",
                json_of(&plant()),
                json_of(&plant()),
                json_of(&plant())
            )),
        }],
    };
    (recording, count.get())
}

/// A key or password, and the text around it.
pub struct Planted {
    /// The text, which contains the secret.
    pub text: String,
    /// The secret itself.
    pub secret: String,
}

/// Surroundings of a value, with `{}` in its place.
const SURROUNDINGS: &str = r#"
DB_PASS={}
export DB_PASS={}
DB_PASSWORD='{}'
PGPASSWORD={} psql -h db
api_keys: {}
api_key_1={}
api_key = "{}"
apiKey: '{}'
"apikey": "{}"
X-Api-Key: {}
-H 'X-Auth-Token: {}'
private_key_pem: {}
AccountKey={};EndpointSuffix=core.windows.net
Server=db;User=sa;Password={};Encrypt=true
SharedAccessKey={}
--password {}
--password={}
login --api-key {} --region eu
curl -u anna:{} https://h.example/x
curl --user anna:{} https://h.example/x
curl -u "anna:{}" https://h.example
sshpass -p {} ssh anna@h
redis-cli -a {} ping
mysql -u root --password={} db
<password>{}</password>
<db:password>{}</db:password>
<password type="plain">{}</password>
<user name="anna" password="{}"/>
<password><![CDATA[{}]]></password>
<add key="ApiKey" value="{}"/>
<property name="password">{}</property>
<param name="db.password" value="{}" />
('password', '{}')
[("api_key", "{}")]
(b'authorization', b'{}')
["--password", "{}"]
{"name": "DB_PASSWORD", "value": "{}"}
{"value": "{}", "name": "DB_PASSWORD"}
{"key": "client_secret", "value": "{}"}
{"password": "{}", "user": "anna"}
{'password': '{}', 'user': 'anna'}
{"a": {"b": [{"credentials": {"value": "{}"}}]}}
{"a": "{\"b\": \"{\\\"password\\\": \\\"{}\\\"}\"}"}
{"a": "{'secret_key': '{}'}"}
Response: {"access_token": "{}", "expires_in": 3600}
Response: {"access_token":"{}","expires_in":3600}
broken {"password": "{}", "x
broken {\"password\": \"{}\", \"x
Config(host='h', password='{}', port=5432)
Config(api_key=SecretStr('{}'))
password = b'{}'
password = """{}"""
headers["Authorization"] = "{}"
headers['x-api-key'] = '{}'
:password => "{}"
'password' => '{}',
https://anna:{}@h.example/x
postgres://anna:{}@db:5432/x
redis://:{}@cache:6379/0
https://h.example/x?api_key={}&q=1
https://h.example/x?q=1&access_token={}
user=anna&password={}&x=1
Authorization: Token {}
Authorization: Custom {}
authorization: Basic {}
Proxy-Authorization: Basic {}
Cookie: session={}; theme=dark
Set-Cookie: sid={}; HttpOnly
password:\n {}
password: |\n  {}
credentials:\n  user: anna\n  word: {}
api_keys:\n  - {}
api_keys:\n- {}
env:\n- name: DB_PASSWORD\n  value: {}
x: 1\npassword: {}\ny: 2
the password is {}
my password for anna is {}
set the password to {}
the api key is "{}"
API key: {}
Access token: {}
secret access key: {}
passphrase: {} and more words
recovery_codes: {}
ENV API_TOKEN={}
spring.datasource.password={}
datasource.password: {}
client-secret: {}
clientSecret={}
GROQ_API_KEY={}
provider_data: {'tavily': '{}'}
auth_token=>{}
token := "{}"
password=={}
passwd: {}
pwd={}
smtp_pass = {}
password_hash: {}
jwt={}
kennwort: {}
password: {} # rotated
{"headers": [["authorization", "{}"]]}
{"headers": {"authorization": ["{}"]}}
{"http.request.header.authorization": ["{}"]}
{"env": [{"name": "API_TOKEN", "value": "{}"}]}
{"args": ["login", "--token", "{}"]}
dict(password="{}")
kind: Secret\nmetadata:\n  name: x\ndata:\n  word: {}\n
{"kind": "Secret", "data": {"word": "{}"}}
JSESSIONID={}
**password**: {}
The password is: {}
password "{}"
ALTER USER x PASSWORD '{}'
CREATE USER x IDENTIFIED BY '{}'
<ns:Password Type="text">{}</ns:Password>
password: >-\n  {}
password%3D{}
p%61ssword={}
{"type": "password", "value": "{}"}
{"id": "api_key", "text": "{}"}
password\t=\t{}
"#;

/// Values that are easily cut short.
const HARD: &str = r#"
DB_PASS=a"{}
DB_PASS={}"b,c]d
DB_PASS={};x]y
DB_PASS=a,{}
DB_PASS=a;{}
DB_PASS=a]{}
DB_PASS=a){}
DB_PASS=a}{}
DB_PASS=a'{}
DB_PASS=a&{}
password="a,b]c;{}"
password='a"b,{}'
password="a'b;{}"
password='it''s {}'
{"password": "a\"b {}"}
{"password": "a, {} ]}"}
{'password': 'a\'b {}'}
broken {"password": "a\"b,{}", "x
broken {\"password\": \"a\\\"b,{}\", \"x
https://anna:a/{}@h.example/x
https://anna:a#{}@h.example/x
https://anna:a?{}@h.example/x
https://anna:a@{}@h.example/x
x: 1\npassword: two words {}
Password=a b c {}
provider_data: {'a': '}', 'b': '{}'}
<password>a<b {}</password>
"#;

/// Keys that are known by their form, as patterns: how they begin, and what follows.
const FORMS: &str = "sk-proj-{w48} sk-ant-api03-{w93} hf_{a34} gsk_{n52} xai-{n80} nvapi-{w64} tvly-dev-{n32} r8_{n37} pplx-{n48} \
AKIA{u16} \
AIza{w35} GOCSPX-{w28} ya29.{w100} ghp_{n36} github_pat_{n82} glpat-{w20} glrt-{w20} xoxb-{d12}-{d12}-{n24} xapp-1-{u11}-{d13}-{x64} \
sk_live_{n24} rk_live_{n24} whsec_{n32} SG.{w22}.{w43} SK{x32} npm_{n36} pypi-AgEIcHlwaS5vcmc{w60} dckr_pat_{w27} dop_v1_{x64} dapi{x32} \
LTAI{n20} hvs.{w90} dp.pt.{n43} shpat_{x32} sq0atp-{w22} EZAK{n54} PMAK-{x24}-{x34} rubygems_{x48} sntryu_{x64} glsa_{n32}_{x8} \
lin_api_{n40} ntn_{d11}{n35} NRAK-{u27} tfp_{w59} key-{x32} pul-{x40} fio-u-{w64} CFPAT-{w43} figd_{w40} sgp_{x40} sqp_{x40} \
AGE-SECRET-KEY-1{u58} tskey-auth-{n12}-{n32} dt0c01.{u24}.{u64} 1abQ8Q~{w34} eyJhbGciOiJIUzI1NiJ9.eyJ{n30}.{w43} {d9}:A{w34} \
https://hooks.slack.com/services/T{u9}/B{u9}/{n24} {x32}-us12 duffel_live_{w43} pscale_pw_{w43} IQoJb3JpZ2lu{n600} FwoGZXIvYXdz{n700} \
xkeysib-{x64}-{n16} AVNS_{w19} CCIPAT_{n22}_{x40} lsv2_pt_{x32}_{x10} rdme_{n70} shippo_live_{x40} aio_{n28}";

/// Letters that look random and are the same for the same number: every key is different, and none is real.
pub fn random_letters(number: usize, count: usize, alphabet: &str) -> String {
    let mut word = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1) | 1;
    (0..count)
        .map(|at| {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            let digit = char::from(b'0' + (word % 10) as u8);
            let letter = char::from(alphabet.as_bytes()[(word >> 33) as usize % alphabet.len()]);
            let is_end = at == 0 || at + 1 == count;
            if alphabet.contains(digit) && (at % 4 == 1 || is_end && !letter.is_ascii_alphanumeric()) { digit } else { letter }
        })
        .collect()
}

/// A key of a form of [`FORMS`].
fn key_of(form: &str, number: usize) -> String {
    let (lower, upper, digits) = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789");
    let mut key = String::new();
    let mut rest = form;
    while let Some((head, (what, after))) = rest.split_once('{').and_then(|(head, tail)| Some((head, tail.split_once('}')?))) {
        let alphabet = match &what[..1] {
            "x" => "0123456789abcdef".to_owned(),
            "u" => format!("{upper}{digits}"),
            "a" => format!("{lower}{upper}"),
            "d" => digits.to_owned(),
            "w" => format!("{lower}{upper}{digits}_-"),
            _ => format!("{lower}{upper}{digits}"),
        };
        let letters = random_letters(number + key.len(), what[1..].parse().expect("a count"), &alphabet);
        key = key + head + &letters;
        rest = after;
    }
    key + rest
}

/// Keys and passwords of all kinds in all surroundings: assigned values, values that are easily cut short, keys with a known form, and keys
/// that follow the name of a key.
pub fn planted_keys() -> Vec<Planted> {
    let mut planted = Vec::new();
    let mut plant = |surroundings: &str, secret: String| {
        let text = surroundings.replace("\\n", "\n").replace("\\t", "\t");
        // Only outside of JSON are those escapes line ends.
        let text = if surroundings.starts_with('{') || surroundings.starts_with("broken") { surroundings.to_owned() } else { text };
        planted.push(Planted { text: text.replacen("{}", &secret, 1), secret });
    };
    for (number, line) in SURROUNDINGS.lines().filter(|line| !line.is_empty()).enumerate() {
        plant(line, format!("hunter{number:03}zq"));
    }
    for (number, line) in HARD.lines().filter(|line| !line.is_empty()).enumerate() {
        plant(line, format!("swordfish{number:02}"));
    }
    // Numbers.
    for (number, line) in [
        "\"password\": 31415926{}",
        "{\"password\": 31415926{}}",
        "pin: 27{}",
        "api_key=27182818{}",
        "{\"otp\": 16180{}}",
    ]
    .iter()
    .enumerate()
    {
        planted.push(Planted { text: line.replace("{}", &format!("5{number}1")), secret: format!("5{number}1") });
    }
    for (number, form) in FORMS.split_ascii_whitespace().enumerate() {
        let key = key_of(form, 1_000 + number);
        let secret = key.strip_prefix("https://").unwrap_or(&key).to_owned();
        for text in [key.clone(), format!("using {key} for this"), format!("https://h.example/?x={key}")] {
            planted.push(Planted { text, secret: secret.clone() });
        }
    }
    // Beside a word for a key.
    let (hex, letters) = ("0123456789abcdef", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/");
    let uuid = |number: usize| [8, 4, 4, 4, 12].map(|count| random_letters(number + count, count, hex)).join("-");
    for (number, words) in ["api key", "the secret", "auth token", "heroku api key", "password"].iter().enumerate() {
        for secret in [
            random_letters(number, 32, hex),
            random_letters(number + 50, 24, hex),
            random_letters(number + 90, 40, hex),
            uuid(number),
        ] {
            planted.push(Planted { text: format!("with {words} {secret} it works"), secret: secret.clone() });
            planted.push(Planted { text: format!("{words} ({secret})"), secret });
        }
    }
    for number in 0..6 {
        let secret = random_letters(7_000 + number, 40, &letters[..if number < 3 { 62 } else { 64 }]);
        planted.push(Planted { text: format!("aws {secret} here"), secret });
    }
    for number in 0..4 {
        let begin = ["RSA ", "EC ", "OPENSSH ", ""][number];
        let secret = random_letters(8_000 + number, 64, letters);
        planted.push(Planted {
            text: format!("-----BEGIN {begin}PRIVATE KEY-----\n{secret}\n{secret}\n-----END {begin}PRIVATE KEY-----"),
            secret,
        });
    }
    for number in 0..2 {
        let secret = random_letters(9_000 + number, 700, &letters[..62]);
        planted.push(Planted { text: format!("session {secret} ends"), secret });
    }
    planted
}

/// A text inside JSON in a string in JSON, `depth` times.
pub fn at_depth(text: &str, depth: usize) -> String {
    (0..depth).fold(text.to_owned(), |inside, level| format!("{{\"level{level}\": [1, {{\"x\": {}}}]}}", json_of(&inside)))
}

/// A recording with the text in names, attributes, events and log bodies, plain and at depth.
pub fn recording_with(text: &str) -> Recording {
    let python = format!("{{'x': [{}]}}", quipu::recorded::python_text(&quipu::model::Value::Text(text.to_owned())));
    let attributes = [
        format!("\"plain\": {}", json_of(text)),
        format!("\"deep\": {}", json_of(&at_depth(text, 3))),
        format!("\"object\": {{\"a\": [{}]}}", json_of(text)),
        format!("\"input\": {}", json_of(&format!("[{{\"role\": \"user\", \"content\": {}}}]", json_of(text)))),
        format!("\"__args__\": {}", json_of(&python)),
        format!("\"sentence\": {}", json_of(&format!("Log: {text}"))),
    ];
    let event = |key: &str, text: &str| EventRecord {
        span_id: Some("77d3615b3d4bfbc0".into()),
        name: Some("unstructured_log".into()),
        timestamp: None,
        attributes: Some(format!("{{\"{key}\": {}, \"severity\": \"info\"}}", json_of(text))),
    };
    Recording {
        traces: vec![TraceRecord { trace_id: "cf1ea0dfb2d5602e420e32e4b45b6044".into(), ..TraceRecord::default() }],
        spans: vec![SpanRecord {
            span_id: "77d3615b3d4bfbc0".into(),
            trace_id: Some("cf1ea0dfb2d5602e420e32e4b45b6044".into()),
            name: Some(text.to_owned()),
            start_time: Some("2026-11-22T18:39:22.344556+00:00".into()),
            end_time: Some("2026-11-22T18:39:23.344556+00:00".into()),
            attributes: Some(format!("{{{}}}", attributes.join(", "))),
            status: Some("OK".into()),
            kind: Some("INTERNAL".into()),
            ..SpanRecord::default()
        }],
        events: vec![event("message", text), event("message", &at_depth(text, 2)), event("other", text)],
    }
}
