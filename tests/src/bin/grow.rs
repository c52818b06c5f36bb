//! The program behind `cargo xtask fixtures`: parses arguments, grows a file, prints a summary.

use anyhow::{Context, Result, bail};
use quipu_tests::fixtures;
use quipu_tests::grow::{Plan, Shape, grow};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
cargo xtask fixtures SHAPE [--attribute BYTES] [--from FILE]... [--out PATH] [--seed N]

  --spans N           whole traces until there are N spans
  --size BYTES        whole traces until the file has that many bytes
  --one-trace N       one trace of N spans
  --deep N            one trace of N spans, each the child of the one before
  --attribute BYTES   one trace more, whose span has an attribute of that many bytes; alone: the source once, and this trace
  --from FILE         what is repeated; may be given several times. Without it: the agent sample
  --out PATH          where the file goes. Without it: target/fixtures/, named by its shape
  --seed N            other ids, times and words

BYTES may end in KB, MB or GB. The same words give the same file.
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.chain().for_each(|sentence| eprintln!("{sentence}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<()> {
    if words.iter().any(|word| word == "-h" || word == "--help") {
        print!("{HELP}");
        return Ok(());
    }
    let (plan, out) = parse(words)?;
    let began = Instant::now();
    let grown = grow(&plan, &out)?;
    let seconds = began.elapsed().as_secs_f64();
    println!("{}", out.display());
    println!(
        "{} traces, {} spans, {} events, {:.1} MB; written in {seconds:.1} s, {:.0} spans a second.",
        grown.traces,
        grown.spans,
        grown.events,
        grown.bytes as f64 / 1e6,
        grown.spans as f64 / seconds.max(1e-3),
    );
    Ok(())
}

fn parse(words: &[String]) -> Result<(Plan, PathBuf)> {
    let (mut shape, mut sources, mut out, mut seed, mut attribute_bytes) = (None, Vec::new(), None, 1, None);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("{word} needs a value.\n\n{HELP}"));
        let new_shape = match word.as_str() {
            "--spans" => Shape::Spans(number(value()?)?),
            "--size" => Shape::Bytes(bytes(value()?)?),
            "--one-trace" => Shape::OneTrace(number(value()?)?),
            "--deep" => Shape::Deep(number(value()?)?),
            "--attribute" => {
                attribute_bytes = Some(usize::try_from(bytes(value()?)?)?);
                continue;
            }
            "--from" => {
                sources.push(PathBuf::from(value()?));
                continue;
            }
            "--out" => {
                out = Some(PathBuf::from(value()?));
                continue;
            }
            "--seed" => {
                seed = value()?.parse().context("--seed needs a whole number.")?;
                continue;
            }
            other => bail!("cargo xtask fixtures does not know {other}.\n\n{HELP}"),
        };
        if shape.replace(new_shape).is_some() {
            bail!("A file has one shape: give one of --spans, --size, --one-trace and --deep.");
        }
    }
    let shape = match (shape, attribute_bytes) {
        (Some(shape), _) => shape,
        (None, Some(_)) => Shape::Once,
        (None, None) => bail!("Which shape?\n\n{HELP}"),
    };
    if sources.is_empty() {
        sources.push(fixtures::AGENT.path());
    }
    let plan = Plan { sources, shape, attribute_bytes, seed };
    Ok((plan.clone(), out.unwrap_or_else(|| default_path(&plan))))
}

fn default_path(plan: &Plan) -> PathBuf {
    let shape = match plan.shape {
        Shape::Spans(spans) => format!("spans_{spans}"),
        Shape::Bytes(bytes) => format!("size_{bytes}"),
        Shape::OneTrace(spans) => format!("one_trace_{spans}"),
        Shape::Deep(spans) => format!("deep_{spans}"),
        Shape::Once => "once".to_owned(),
    };
    let attribute = plan.attribute_bytes.map(|bytes| format!("_attribute_{bytes}")).unwrap_or_default();
    fixtures::target().join("fixtures").join(format!("{shape}{attribute}.db"))
}

fn number(text: &str) -> Result<u64> {
    let number: u64 = text.replace('_', "").parse().with_context(|| format!("{text} is not a whole number."))?;
    if number == 0 {
        bail!("A file needs at least one span.");
    }
    Ok(number)
}

fn bytes(text: &str) -> Result<u64> {
    let units = [("KB", 1e3), ("MB", 1e6), ("GB", 1e9)];
    let unit = units.into_iter().find_map(|(name, factor)| Some((text.strip_suffix(name)?, factor)));
    let (digits, factor) = unit.unwrap_or((text, 1.0));
    let number: f64 = digits.parse().with_context(|| format!("{text} is not a number of bytes such as 1.5GB."))?;
    if !(1.0..=1e15).contains(&(number * factor)) {
        bail!("{text} is not a number of bytes such as 1.5GB.");
    }
    Ok(quipu::model::number::truncated(number * factor))
}
