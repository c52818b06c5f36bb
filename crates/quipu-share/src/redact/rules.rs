//! The known forms of keys, as data: how a key begins, which letters follow, and how many.
//!
//! To add one, add a line with examples; a test checks them all. Examples are patterns, because real keys do not belong in a source file:
//! `{36}` stands for 36 letters and digits, `{32x}` for hex digits; `fill` lists the others. Not here: how a text is searched (`detect`),
//! and what is assigned to a name (`names`, `assigned`).

use super::names::sorted;
use std::sync::LazyLock;

/// The letters after the beginning of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    /// Hexadecimal digits.
    Hex,
    /// Digits and upper-case letters.
    Upper,
    /// Letters and digits.
    Plain,
    /// And `_`, `-`.
    Word,
    /// And `.`.
    Dotted,
    /// And `+`, `/`, `=`.
    Base64,
    /// And `@`, `:`: the rest of a URL.
    Path,
}

impl Letters {
    pub(super) fn has(self, byte: u8) -> bool {
        let rank = match byte {
            b'0'..=b'9' => return true,
            b'a'..=b'f' | b'A'..=b'F' if self == Letters::Hex => return true,
            b'A'..=b'Z' if self == Letters::Upper => return true,
            b'a'..=b'z' | b'A'..=b'Z' => Letters::Plain,
            b'_' | b'-' => Letters::Word,
            b'.' => Letters::Dotted,
            b'+' | b'/' | b'=' => Letters::Base64,
            b'@' | b':' => Letters::Path,
            _ => return false,
        };
        self as u8 >= rank as u8
    }
}

/// A form of a key.
pub(super) struct Rule {
    #[cfg(test)]
    pub(super) name: &'static str,
    /// How it can begin, separated by blanks.
    starts: &'static str,
    pub(super) letters: Letters,
    /// How many letters follow at least, and at most.
    pub(super) least: u16,
    pub(super) most: u16,
    /// How many of the first 64 are digits at least.
    pub(super) digits: u8,
    /// Texts with a key in them, and texts without one.
    #[cfg(test)]
    pub(super) finds: &'static [&'static str],
    #[cfg(test)]
    pub(super) leaves: &'static [&'static str],
}

/// Any number of letters.
const ANY: u16 = u16::MAX;

macro_rules! rules {
    ($($name:literal, $starts:literal, $letters:ident, $least:literal to $most:expr, $digits:literal digits,
        [$($finds:literal),* $(,)?], [$($leaves:literal),* $(,)?];)*) => {
        pub(super) static RULES: &[Rule] = &[$(Rule {
            #[cfg(test)]
            name: $name,
            starts: $starts,
            letters: Letters::$letters,
            least: $least,
            most: $most,
            digits: $digits,
            #[cfg(test)]
            finds: &[$($finds),*],
            #[cfg(test)]
            leaves: &[$($leaves),*],
        }),*];
    };
}

rules! {
    // Models and their tools.
    "OpenAI and others, long", "sk- sk_", Dotted, 20 to ANY, 0 digits,
        ["sk-{48}", "sk-proj-{60w}", "sk_{32a}", "sk-or-v1-{64x}", "sk-lf-{u}"],
        ["sk-learn and more", "ask-me-anything", "sk-"];
    "OpenAI and others, short", "sk- sk_ pk-lf- pk_ rk_", Dotted, 8 to ANY, 1 digits,
        ["sk-{12}", "sk_live_{24}", "rk_live_{24}", "pk-lf-{u}"],
        ["sk-learn", "pk_small", "rk_name"];
    "OpenAI session", "sess-", Plain, 30 to ANY, 1 digits, ["sess-{40}"], ["sess-1", "session-12"];
    "Anthropic", "sk-ant-", Dotted, 12 to ANY, 0 digits, ["sk-ant-api03-{93w}", "sk-ant-admin01-{93w}"], ["sk-ant-"];
    "Hugging Face", "hf_ api_org_", Plain, 20 to ANY, 0 digits,
        ["hf_{34a}", "api_org_{34a}"],
        ["hf_transfer", "hf_hub_download", "api_org_name"];
    "Hugging Face, short", "hf_", Plain, 8 to ANY, 1 digits, ["hf_{12}"], ["hf_model", "hf_7b"];
    "Groq", "gsk_", Plain, 20 to ANY, 0 digits, ["gsk_{52}"], ["gsk_short"];
    "xAI", "xai-", Plain, 20 to ANY, 0 digits, ["xai-{80}"], ["xai-grok"];
    "NVIDIA", "nvapi-", Word, 20 to ANY, 0 digits, ["nvapi-{64w}"], ["nvapi-x"];
    "Tavily", "tvly-", Word, 8 to ANY, 1 digits, ["tvly-{32}", "tvly-dev-{32}"], ["tvly-search"];
    "Fireworks", "fw_", Plain, 20 to ANY, 1 digits, ["fw_{24}"], ["fw_update", "fw_version_12"];
    "Replicate", "r8_", Plain, 20 to ANY, 0 digits, ["r8_{37}"], ["r8_x"];
    "Perplexity", "pplx-", Plain, 20 to ANY, 0 digits, ["pplx-{48}"], ["pplx-70b-online", "pplx-api"];
    "Together", "tgp_v1_", Word, 20 to ANY, 0 digits, ["tgp_v1_{43w}"], ["tgp_v1_"];
    "Cerebras", "csk-", Plain, 20 to ANY, 1 digits, ["csk-{48l}"], ["csk-a"];
    "LangSmith", "lsv2_pt_ lsv2_sk_ ls__", Word, 20 to ANY, 1 digits, ["lsv2_pt_{32x}_{10x}", "lsv2_sk_{32x}_{10x}"], ["ls__name"];
    "Weights & Biases", "wandb_v1_ local-", Word, 36 to ANY, 6 digits,
        ["local-{40x}", "wandb_v1_{50}"],
        ["local-development-environment-of-somebody-else"];
    "Brave", "BSA", Word, 20 to 40, 1 digits, ["BSA{28w}"], ["BSA", "BSAlong"];
    "Firecrawl", "fc-", Hex, 32 to 32, 3 digits, ["fc-{32x}"], ["fc-12", "fc-layers"];
    "Jina", "jina_", Word, 40 to ANY, 2 digits, ["jina_{60w}"], ["jina_embeddings_v3"];
    "Pinecone", "pcsk_", Word, 30 to ANY, 2 digits, ["pcsk_{70w}"], ["pcsk_x"];
    "Voyage", "pa-", Word, 40 to 60, 3 digits, ["pa-{43w}"], ["pa-1", "pa-rt"];
    "Exa, Cursor", "key_", Hex, 60 to 70, 8 digits, ["key_{64x}"], ["key_12", "key_{32x}"];
    "E2B", "e2b_", Hex, 32 to 48, 3 digits, ["e2b_{40x}"], ["e2b_sandbox"];

    // Code and packages.
    "GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", Plain, 8 to ANY, 1 digits,
        ["ghp_{36}", "gho_{36}", "ghu_{36}", "ghs_{36}", "ghr_{36}"],
        ["ghp_", "ghs_name"];
    "GitHub, fine-grained", "github_pat_", Word, 20 to ANY, 0 digits, ["github_pat_{82}"], ["github_pat_x"];
    "GitLab", "glpat- gldt- glptt- glrt- glrtr- glcbt- glft- glsoat- glimt- glagent- gloas- glffct- glwt-", Dotted, 16 to ANY, 0 digits,
        [
            "glpat-{20w}", "glpat-{27w}.01.{9l}", "gldt-{20w}", "glptt-{40x}", "glrt-{20w}", "glrt-t1_{27w}.{2x}{7l}", "glcbt-1_{20w}",
            "glft-{20w}", "glsoat-{20w}", "glimt-{25w}", "glagent-{50w}", "gloas-{64w}", "glffct-{20w}",
        ],
        ["glpat-", "glrt-name"];
    "GitLab runner registration", "GR1348941", Word, 16 to ANY, 0 digits, ["GR1348941{20w}"], ["GR1348941"];
    "Bitbucket, Atlassian", "ATBB ATATT3 ATCTT3", Base64, 24 to ANY, 1 digits, ["ATBB{32}", "ATATT3{186w}"], ["ATBB", "ATATT3"];
    "npm", "npm_", Plain, 20 to ANY, 0 digits, ["npm_{36}"], ["npm_config_registry", "npm_package_version"];
    "PyPI", "pypi-", Word, 50 to ANY, 1 digits, ["pypi-AgEIcHlwaS5vcmc{70w}"], ["pypi-server", "pypi-package-name"];
    "RubyGems", "rubygems_", Hex, 40 to ANY, 3 digits, ["rubygems_{48x}"], ["rubygems_version"];
    "Clojars", "CLOJARS_", Plain, 50 to ANY, 1 digits, ["CLOJARS_{60l}"], ["CLOJARS_URL"];
    "crates.io", "cio", Plain, 32 to 32, 3 digits, ["cio{32}"], ["cio", "cio{8}"];
    "NuGet", "oy2", Plain, 43 to 43, 3 digits, ["oy2{43l}"], ["oy2", "oy2{12l}"];
    "Docker", "dckr_pat_ dckr_oat_", Word, 20 to ANY, 0 digits, ["dckr_pat_{27w}"], ["dckr_pat_"];
    "Artifactory", "AKCp", Plain, 60 to ANY, 3 digits, ["AKCp{69}"], ["AKCp8"];
    "Artifactory reference", "cmVmdGtu", Plain, 40 to ANY, 3 digits, ["cmVmdGtu{56}"], ["cmVmdGtu"];
    "GitLab session", "gitlab_session=", Hex, 32 to ANY, 1 digits, ["_gitlab_session={32x}"], ["gitlab_session="];
    "SonarQube", "sqp_ squ_ sqa_", Plain, 32 to ANY, 3 digits, ["sqp_{40x}", "squ_{40x}"], ["sqp_name", "sqa_report"];
    "Sourcegraph", "sgp_ slk_", Word, 40 to ANY, 3 digits, ["sgp_{40x}", "sgp_{16x}_{40x}", "slk_{64x}"], ["sgp_x", "slk_y"];
    "CircleCI", "CCIPAT_ CCIPRJ_", Word, 30 to ANY, 3 digits, ["CCIPAT_{22}_{40x}"], ["CCIPAT_"];
    "Buildkite", "bkua_ bkpat_ bkaj_", Plain, 30 to ANY, 3 digits, ["bkua_{40x}"], ["bkua_x"];
    "Postman", "PMAK-", Word, 40 to ANY, 3 digits, ["PMAK-{24x}-{34x}"], ["PMAK-"];
    "ReadMe", "rdme_", Plain, 50 to ANY, 3 digits, ["rdme_{70l}"], ["rdme_x"];
    "Infracost", "ico-", Plain, 32 to 32, 2 digits, ["ico-{32}"], ["ico-image"];
    "Octopus Deploy", "API-", Upper, 26 to 26, 3 digits, ["API-{26A}"], ["API-FIRST", "API-{8A}"];
    "Pulumi", "pul-", Hex, 40 to 40, 3 digits, ["pul-{40x}"], ["pul-ley"];
    "Prefect", "pnu_ pnb_", Plain, 30 to ANY, 2 digits, ["pnu_{36l}"], ["pnu_x"];
    "Doppler", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", Dotted, 30 to ANY, 1 digits, ["dp.pt.{43}", "dp.st.dev.{43}"], ["dp.pt.x"];
    "Figma", "figd_ figu_ figo_", Word, 30 to ANY, 1 digits, ["figd_{40w}"], ["figd_x"];
    "Postgres hosts", "napi_ pscale_tkn_ pscale_oauth_ pscale_pw_", Dotted, 30 to ANY, 1 digits,
        ["pscale_tkn_{43w}", "pscale_oauth_{43w}", "pscale_pw_{43w}", "napi_{64l}"],
        ["pscale_pw_", "napi_x"];
    "Supabase", "sbp_ sb_secret_ sb_publishable_", Word, 20 to ANY, 2 digits, ["sbp_{40x}", "sb_secret_{31w}"], ["sbp_x", "sb_secret_name"];
    "Harness", "pat. sat.", Dotted, 60 to ANY, 6 digits, ["pat.{22}.{24x}.{20}", "sat.{22}.{24x}.{20}"], ["pat.x", "sat.on.the.mat"];
    "LaunchDarkly", "api- sdk- mob-", Word, 36 to 36, 6 digits,
        ["api-{u}", "sdk-{u}", "mob-{u}"],
        ["sdk-python", "api-v1-documentation-of-something-long"];

    // Clouds.
    "AWS access key", "AKIA ASIA ABIA ACCA AROA AIDA", Upper, 12 to 24, 1 digits,
        ["AKIA{16A}", "ASIA{16A}", "ABIA{16A}", "ACCA{16A}"],
        ["AKIA", "ASIAPACIFIC"];
    "AWS session", "IQoJb3JpZ2lu FwoGZXIvYXdz FQoGZXIvYXdz", Base64, 80 to ANY, 1 digits,
        ["IQoJb3JpZ2luX2Vj{700b}", "FwoGZXIvYXdzE{300b}"],
        ["IQoJb3JpZ2lu"];
    "AWS Bedrock", "ABSK bedrock-api-key-", Base64, 60 to ANY, 1 digits,
        ["ABSK{128b}", "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t{80b}"],
        ["ABSK", "bedrock-api-key-name"];
    "Google API key", "AIza", Word, 30 to ANY, 1 digits, ["AIza{35w}"], ["AIza"];
    "Google OAuth client", "GOCSPX-", Word, 20 to ANY, 0 digits, ["GOCSPX-{28w}"], ["GOCSPX-"];
    "Google access token", "ya29. 1//0", Base64, 20 to ANY, 1 digits, ["ya29.{120w}", "1//0{60w}"], ["ya29.", "1//0"];
    "DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", Hex, 40 to ANY, 3 digits, ["dop_v1_{64x}", "doo_v1_{64x}", "dor_v1_{64x}"], ["dop_v1_"];
    "Databricks", "dapi", Hex, 32 to 34, 3 digits, ["dapi{32x}", "dapi{32x}-2"], ["dapi", "dapi12"];
    "Alibaba, Tencent", "LTAI AKID", Plain, 16 to 36, 1 digits, ["LTAI{20}", "AKID{32}"], ["LTAI", "AKID"];
    "Yandex", "AQVN YC", Word, 35 to 40, 3 digits, ["AQVN{36w}", "YC{38w}"], ["AQVN", "YC"];
    "Yandex access token", "t1.", Dotted, 80 to ANY, 6 digits, ["t1.9eue{40w}.{86w}"], ["t1.x"];
    "Cloudflare origin CA", "v1.0-", Word, 100 to ANY, 10 digits, ["v1.0-{24x}-{146x}"], ["v1.0-beta"];
    "Vault", "hvs. hvb. hvr.", Word, 20 to ANY, 1 digits, ["hvs.{90w}", "hvb.{140w}"], ["hvs.x"];
    "Vault, old", "s.", Plain, 24 to 24, 3 digits, ["s.{24}"], ["s.split", "s.{8}"];
    "Heroku", "HRKU-", Word, 40 to ANY, 2 digits, ["HRKU-AA{58w}"], ["HRKU-"];
    "Fly.io", "fo1_ fm1a_ fm1r_ fm2_", Base64, 40 to ANY, 2 digits, ["fo1_{43w}", "fm1r_{100b}", "fm2_{100b}"], ["fo1_x", "fm2_y"];
    "OpenShift", "sha256~", Word, 40 to 46, 2 digits, ["sha256~{43w}"], ["sha256~x"];
    "Netlify, Vercel, Render", "nfp_ vcp_ vck_ rnd_", Plain, 20 to ANY, 3 digits, ["nfp_{40}", "rnd_{28}"], ["rnd_seed", "nfp_x"];
    "ClickHouse", "4b1d", Plain, 38 to 38, 3 digits, ["4b1d{38}"], ["4b1d", "4b1d{12x}"];
    "Aiven", "AVNS_", Word, 16 to ANY, 0 digits, ["AVNS_{19w}"], ["AVNS_"];
    "Scaleway, Scalingo", "SCW tk-us- tk-eu-", Word, 17 to ANY, 3 digits, ["SCW{17A}", "tk-us-{48w}"], ["SCW", "tk-us-x"];
    "Tailscale, Defined Networking", "tskey- dnkey-", Word, 20 to ANY, 2 digits,
        ["tskey-auth-{12}-{32}", "dnkey-{26}-{52}"],
        ["tskey-", "dnkey-"];
    "Terraform Cloud", "atlasv1.", Word, 50 to ANY, 2 digits, ["{14}.atlasv1.{64w}"], ["atlasv1."];
    "age", "AGE-SECRET-KEY-1", Upper, 40 to ANY, 2 digits, ["AGE-SECRET-KEY-1{58A}"], ["AGE-SECRET-KEY-1"];
    "1Password", "ops_ey", Base64, 60 to ANY, 1 digits, ["ops_ey{250b}"], ["ops_eye"];
    "1Password secret key", "A3-", Word, 30 to 40, 3 digits, ["A3-{6A}-{11A}-{5A}-{5A}-{5A}"], ["A3-1", "A3-paper"];

    // Payments and shops.
    "Stripe", "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_ pk_live_ pk_test_ whsec_", Base64, 10 to ANY, 0 digits,
        ["sk_live_{24}", "sk_test_{99}", "rk_live_{24}", "sk_prod_{24}", "rk_prod_{24}", "whsec_{32b}"],
        ["sk_test_", "whsec_"];
    "Square", "sq0atp- sq0csp- sq0idp-", Word, 20 to ANY, 0 digits, ["sq0atp-{22w}", "sq0csp-{43w}"], ["sq0atp-"];
    "Square, new", "EAAA", Word, 56 to 64, 3 digits, ["EAAA{60w}"], ["EAAA"];
    "Shopify", "shpat_ shpca_ shppa_ shpss_", Hex, 20 to ANY, 2 digits,
        ["shpat_{32x}", "shpca_{32x}", "shppa_{32x}", "shpss_{32x}"],
        ["shpat_"];
    "Shippo", "shippo_live_ shippo_test_", Hex, 30 to ANY, 2 digits, ["shippo_live_{40x}", "shippo_test_{40x}"], ["shippo_test_case"];
    "GoCardless, Lob", "live_ test_", Word, 35 to 44, 6 digits,
        ["live_{40w}", "test_{35x}", "live_pub_{31x}"],
        ["test_that_a_long_function_name_is_no_key_12", "live_stream"];
    "Flutterwave", "FLWPUBK_TEST- FLWSECK_TEST- FLWPUBK- FLWSECK-", Word, 12 to ANY, 1 digits,
        ["FLWPUBK_TEST-{32x}-X", "FLWSECK_TEST-{32x}-X", "FLWSECK_TEST-{12x}", "FLWSECK-{32x}-X"],
        ["FLWSECK-"];
    "Plaid", "access-sandbox- access-development- access-production-", Word, 36 to ANY, 3 digits,
        ["access-sandbox-{u}", "access-production-{u}"],
        ["access-sandbox-only"];
    "Duffel", "duffel_test_ duffel_live_", Base64, 30 to ANY, 1 digits, ["duffel_test_{43w}", "duffel_live_{43w}"], ["duffel_test_x"];
    "EasyPost", "EZAK EZTK", Plain, 50 to ANY, 3 digits, ["EZAK{54}", "EZTK{54}"], ["EZAK"];
    "Authress", "sc_ ext_ scauth_ authress_", Dotted, 60 to ANY, 8 digits,
        ["sc_{5l}.{4l}.acc_{12l}.{60b}"],
        ["sc_name", "ext_module", "ext_modules_that_have_a_very_long_name_but_no_digits_in_them_at_all"];
    "Kraken webhook, Svix", "svix_ testsk_ sm_aat_ sm_pat_ sm_sat_", Plain, 16 to ANY, 1 digits,
        ["sm_aat_{16}", "sm_pat_{16}", "sm_sat_{16}"],
        ["sm_pat_x"];

    "Sidekiq", "BUNDLE_ENTERPRISE__CONTRIBSYS__COM= BUNDLE_GEMS__CONTRIBSYS__COM=", Path, 12 to ANY, 1 digits,
        ["BUNDLE_ENTERPRISE__CONTRIBSYS__COM={8x}:{8x}"],
        ["BUNDLE_GEMS__CONTRIBSYS__COM="];

    // Mail and messages.
    "Slack", "xoxb- xoxp- xoxa- xoxs- xoxr- xoxo- xoxc- xoxd- xoxe- xoxe.xoxb- xoxe.xoxp- xapp-", Base64, 8 to ANY, 1 digits,
        [
            "xoxb-{12d}-{12d}-{24}", "xoxp-{11d}-{11d}-{11d}-{32x}", "xoxe.xoxp-1-{160}", "xoxe-1-{140}", "xapp-1-{11A}-{13d}-{64x}",
            "xoxa-2-{40}", "xoxs-{10d}-{10d}-{10d}-{10x}",
        ],
        ["xoxb-", "xapp-name"];
    "Slack webhook", "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/", Path, 20 to ANY, 0 digits,
        ["https://hooks.slack.com/services/T{10A}/B{10A}/{24}"],
        ["https://hooks.slack.com/services/", "https://slack.com/services/x"];
    "Discord webhook", "discord.com/api/webhooks/ discordapp.com/api/webhooks/", Path, 40 to ANY, 8 digits,
        ["https://discord.com/api/webhooks/{18d}/{68w}"],
        ["https://discord.com/api/webhooks/"];
    "Teams webhook", "webhookb2/", Path, 60 to ANY, 8 digits,
        ["https://x.webhook.office.com/webhookb2/{u}@{u}/IncomingWebhook/{32x}/{u}"],
        ["webhookb2/x"];
    "Telegram bot", "api.telegram.org/bot", Path, 30 to ANY, 8 digits,
        ["https://api.telegram.org/bot{9d}:A{34w}/send"],
        ["https://api.telegram.org/bot"];
    "SendGrid", "SG.", Dotted, 16 to ANY, 1 digits, ["SG.{22w}.{43w}"], ["SG.", "SG.name"];
    "Brevo", "xkeysib- xsmtpsib-", Word, 40 to ANY, 3 digits, ["xkeysib-{64x}-{16}"], ["xkeysib-"];
    "Mailgun", "key- pubkey-", Hex, 32 to 32, 3 digits, ["key-{32x}", "pubkey-{32x}"], ["key-12", "key-value", "pubkey-1"];
    "Resend", "re_", Word, 30 to 40, 2 digits, ["re_{8}_{24}"], ["re_compile", "re_ranker"];
    "Twilio", "SK", Hex, 32 to 32, 4 digits, ["SK{32x}"], ["SK", "SKU123", "SKIP"];
    "Typeform", "tfp_", Word, 40 to ANY, 2 digits, ["tfp_{59w}"], ["tfp_x"];
    "Intercom", "dG9rOj", Base64, 40 to ANY, 2 digits, ["dG9rOj{54b}"], ["dG9rOj"];
    "HubSpot", "pat-na1- pat-na2- pat-eu1-", Word, 36 to 36, 4 digits, ["pat-na1-{u}", "pat-eu1-{u}"], ["pat-na1-x"];

    // Work and data.
    "Adobe", "p8e-", Hex, 32 to 32, 3 digits, ["p8e-{32x}"], ["p8e-x"];
    "Airtable", "pat", Dotted, 70 to 90, 10 digits, ["pat{14}.{64x}"], ["pattern", "pathological.cases"];
    "Beamer", "b_", Base64, 44 to 44, 3 digits, ["b_{44w}"], ["b_name", "b_12"];
    "Contentful", "CFPAT-", Word, 40 to ANY, 1 digits, ["CFPAT-{43w}"], ["CFPAT-"];
    "Dropbox", "sl.", Word, 100 to ANY, 6 digits, ["sl.{135w}"], ["sl.x"];
    "Dynatrace", "dt0c01. dt0s01.", Dotted, 60 to ANY, 3 digits, ["dt0c01.{24A}.{64A}"], ["dt0c01."];
    "Facebook", "EAAM EAAC EAAB EAAG", Plain, 80 to ANY, 6 digits, ["EAAM{120}", "EAAC{120}"], ["EAAM"];
    "Frame.io", "fio-u-", Base64, 50 to ANY, 2 digits, ["fio-u-{64w}"], ["fio-u-x"];
    "Grafana", "glc_ glsa_", Base64, 30 to ANY, 2 digits, ["glc_{60b}", "glsa_{32}_{8x}"], ["glc_x", "glsa_y"];
    "Grafana, old", "eyJrIjoi", Base64, 60 to ANY, 2 digits, ["eyJrIjoi{80b}"], ["eyJrIjoi"];
    "Intra 42", "s-s4t2ud- s-s4t2af-", Hex, 60 to ANY, 6 digits, ["s-s4t2ud-{64x}", "s-s4t2af-{64x}"], ["s-s4t2ud-"];
    "JWT", "eyJ", Dotted, 16 to ANY, 0 digits, ["eyJhbGciOiJIUzI1NiJ9.{40w}.{43w}"], ["eyJ", "eyJhIjoxfQ"];
    "Linear", "lin_api_ lin_oauth_", Plain, 30 to ANY, 2 digits, ["lin_api_{40}"], ["lin_api_x"];
    "Mapbox", "pk.eyJ sk.eyJ tk.eyJ", Dotted, 40 to ANY, 1 digits, ["pk.eyJ{60}.{22}", "sk.eyJ{80}.{22}"], ["pk.eyJ"];
    "New Relic", "NRAK- NRII- NRJS- NRRA- NRAA- NRBR- NRIQ-", Word, 19 to ANY, 2 digits,
        ["NRAK-{27A}", "NRII-{32w}", "NRJS-{19x}"],
        ["NRAK-"];
    "Notion", "ntn_ secret_", Plain, 40 to 52, 4 digits, ["ntn_{11d}{35}", "secret_{43}"], ["ntn_x", "secret_santa", "secret_name_12"];
    "PostHog", "phc_ phx_", Plain, 30 to ANY, 2 digits, ["phc_{43}", "phx_{43}"], ["phc_x"];
    "Sentry", "sntrys_ sntryu_ sntryi_ sntrya_", Base64, 40 to ANY, 3 digits, ["sntrys_eyJpYXQiO{120b}_{43b}", "sntryu_{64x}"], ["sntrys_"];
    "MongoDB Atlas", "mdb_sa_sk_", Word, 30 to ANY, 1 digits, ["mdb_sa_sk_{44w}"], ["mdb_sa_sk_"];
    "dbt", "dbtc_ dbtu_", Word, 30 to ANY, 2 digits, ["dbtc_{40w}", "dbtu_{40w}"], ["dbtc_x"];
    "Elastic", "essu_", Base64, 40 to ANY, 2 digits, ["essu_{60b}"], ["essu_x"];
    "Adafruit", "aio_", Plain, 28 to 28, 2 digits, ["aio_{28}"], ["aio_pika"];
    "Akamai", "akab-", Word, 30 to ANY, 3 digits, ["akab-{16}-{16}"], ["akab-"];
    "Ory, Rootly, Zuplo", "ory_st_ ory_at_ ory_ac_ rootly_ zpka_", Dotted, 30 to ANY, 2 digits,
        ["ory_at_{43w}", "rootly_{64x}", "zpka_{32l}_{8x}"],
        ["rootly_x"];
}

/// Parts that show that a run of key letters is a key, wherever they stand, and the fewest letters of the run.
pub(super) const MARKS: &[(&str, usize)] = &[
    // Azure's client secrets: `abc8Q~…`.
    ("Q~", 34),
    // OpenAI's keys in two halves.
    ("T3BlbkFJ", 40),
    // Terraform Cloud.
    (".atlasv1.", 60),
    // MaxMind.
    ("_mmk", 36),
];

/// Labels of ids, which are not keys although what follows is as random.
const LABELS: &str = "call chatcmpl cmpl resp msg toolu srvtoolu run thread asst file batch vs vsf ft ftjob req modr mcp mcpl mcpr \
mcp_list mcp_list_tools mcp_call mcp_approval fc rs ws ig ci cntr conv item evt event gen step snapshot embd trace span session sess \
tool agent task turn user org proj project workflow wf node doc chunk mem ctx lc_run part prt ses fp cus sub pi ch in prod price acct \
dialog round upload vector_store tr document request message response completion conversation id uuid job";

/// Whether a word is the label of an id.
pub(super) fn is_label(word: &[u8]) -> bool {
    static SORTED: LazyLock<Vec<&'static str>> = LazyLock::new(|| sorted(LABELS));
    std::str::from_utf8(word).is_ok_and(|word| SORTED.binary_search(&word).is_ok())
}

/// A rule and one of its beginnings.
pub(super) type Start = (&'static str, &'static Rule);

/// All beginnings, sorted, and where those with each first byte begin.
struct Starts {
    all: Vec<Start>,
    places: [u16; 257],
}

static STARTS: LazyLock<Starts> = LazyLock::new(|| {
    let mut all: Vec<Start> = RULES.iter().flat_map(|rule| rule.starts.split(' ').map(move |start| (start, rule))).collect();
    quipu_model::ordered::sort_by(&mut all, |a, b| a.0.cmp(b.0));
    let first = |start: &Start| start.0.as_bytes().first().map_or(0, |byte| usize::from(*byte));
    let places = std::array::from_fn(|byte| u16::try_from(all.partition_point(|start| first(start) < byte)).unwrap_or(u16::MAX));
    Starts { all, places }
});

/// The rules whose beginnings begin with `byte`.
pub(super) fn starting_with(byte: u8) -> &'static [Start] {
    let place = |at: usize| STARTS.places.get(at).map_or(0, |place| usize::from(*place));
    STARTS.all.get(place(byte.into())..place(usize::from(byte) + 1)).unwrap_or_default()
}

/// The text that a pattern of an example stands for. In braces: how many letters, and of which kind; `{u}` is a UUID.
#[cfg(test)]
pub(super) fn fill(pattern: &str) -> String {
    let mut word = pattern.bytes().fold(0x9e37_79b9_7f4a_7c15_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut letters = |count: usize, alphabet: &str| -> String {
        let mut made = String::new();
        for at in 0..count {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            let letter = char::from(alphabet.as_bytes()[(word >> 33) as usize % alphabet.len()]);
            // A key has digits, and does not end like a sentence.
            let digit = char::from(b"0123456"[at % 7]);
            made.push(match letter {
                _ if at % 4 == 1 && alphabet.contains(digit) => digit,
                _ if at + 1 == count && !letter.is_ascii_alphanumeric() => 'k',
                _ => letter,
            });
        }
        made
    };
    let (lower, upper, digits) = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789");
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((head, tail)) = rest.split_once('{') {
        let (what, after) = tail.split_once('}').expect("a closing brace");
        out += head;
        rest = after;
        if what == "u" {
            out += &[8, 4, 4, 4, 12].map(|count| letters(count, "0123456789abcdef")).join("-");
            continue;
        }
        let count: usize = what.trim_end_matches(char::is_alphabetic).parse().expect("a number");
        let alphabet = match what.trim_start_matches(|letter: char| letter.is_ascii_digit()) {
            "" => format!("{lower}{upper}{digits}"),
            "x" => format!("{digits}abcdef"),
            "A" => format!("{upper}{digits}"),
            "a" => format!("{lower}{upper}"),
            "l" => format!("{lower}{digits}"),
            "d" => digits.to_owned(),
            "w" => format!("{lower}{upper}{digits}_-"),
            "b" => format!("{lower}{upper}{digits}+/"),
            other => panic!("no letters {other:?}"),
        };
        out += &letters(count, &alphabet);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::super::detect::{Finding, find};
    use super::super::sweep::Sweep;
    use super::*;
    use quipu_protocol::PrivateKind;

    fn secrets(text: &str) -> Vec<Finding> {
        find(text, &Sweep::default()).into_iter().filter(|finding| finding.kind == PrivateKind::Secrets).collect()
    }

    #[test]
    fn every_rule_finds_its_examples_and_leaves_the_others() {
        for rule in RULES {
            assert!(!rule.finds.is_empty() && !rule.leaves.is_empty(), "{} has no examples", rule.name);
            for example in rule.finds {
                let key = fill(example);
                // In a sentence, in a log line, in a list, in JSON, in a URL.
                for text in [
                    format!("use {key} now"),
                    format!("got [{key}]"),
                    format!("a,{key},b"),
                    format!("{{\"x\": \"{key}\"}}"),
                    format!("?q={key}&r=1"),
                    key.clone(),
                ] {
                    let found = secrets(&text);
                    let start = text.find(&key).expect("the key");
                    let secret = key.strip_prefix("https://").map_or(key.as_str(), |rest| rest.trim_end_matches("/send"));
                    let end = start + key.find(secret).expect("itself") + secret.len();
                    let covered = found.iter().any(|one| one.start <= end - secret.len() + 40 && one.end >= end);
                    assert!(covered, "{}: {text} in {found:?}", rule.name);
                }
            }
            for example in rule.leaves {
                let text = fill(example);
                assert_eq!(secrets(&format!("see {text} there")), [], "{}: {text}", rule.name);
            }
        }
    }
}
