//! The reader's table of prices. It is kept in the browser, and empty until it is filled in.
//!
//! Not here: computing costs (the core).

use crate::actions::router::{self, HistoryEntry};
use crate::reactive::{dynamic, on_event, on_mouse};
use crate::state::{App, settings};
use leptos::prelude::*;
use quipu_model::{CostUnit, Price, PriceTable, read_amount};
use quipu_protocol::ListColumn;

/// The editable table.
#[component]
pub(super) fn Prices() -> impl IntoView {
    let app = App::get();
    let lines = RwSignal::new(draft(&app.prices.get_untracked()));
    let unit = RwSignal::new(app.prices.with_untracked(|prices| prices.unit.as_str().to_owned()));
    let problem = RwSignal::new(None::<String>);
    let take = move || match read(&unit.get_untracked(), &lines.get_untracked()) {
        Ok(table) => {
            settings::keep_prices(&table);
            problem.set(None);
            // With the first price, the list of traces gets its Cost column.
            if app.prices.with_untracked(PriceTable::is_empty) && !table.is_empty() {
                router::navigate(app, HistoryEntry::Replace, |view| {
                    if !view.list.columns.has(ListColumn::Cost) {
                        view.list.columns = view.list.columns.toggled(ListColumn::Cost);
                    }
                });
            }
            app.prices.set(table);
        }
        Err(sentence) => problem.set(Some(sentence)),
    };
    let add = move |_| lines.update(|lines| lines.push(RwSignal::new(Default::default())));
    let row = move |(number, line): (usize, RwSignal<[String; 3]>)| {
        let remove = move |_| {
            lines.update(|lines| lines.retain(|other| *other != line));
            take();
        };
        let field = move |at: usize, label: &'static str, hint: &'static str| {
            view! {
                <td>
                    <input
                        type="text"
                        class=if at == 0 { "mono" } else { "number" }
                        inputmode=if at == 0 { "text" } else { "decimal" }
                        aria-label=format!("{label}, row {}", number + 1)
                        placeholder=hint
                        autocomplete="off"
                        spellcheck="false"
                        prop:value=move || line.with(|line| line.get(at).cloned().unwrap_or_default())
                        on:change=on_event(move |event| {
                            line.update(|line| {
                                if let Some(part) = line.get_mut(at) {
                                    *part = event_target_value(&event);
                                }
                            });
                            take();
                        })
                    />
                </td>
            }
        };
        view! {
            <tr>
                {field(0, "Model pattern", "*Llama-3.2*")}
                {field(1, "Price per million prompt tokens", "0.10")}
                {field(2, "Price per million completion tokens", "0.40")}
                <td><button type="button" class="quiet" aria-label=format!("Remove row {}", number + 1) on:click=on_mouse(remove)>"Remove"</button></td>
            </tr>
        }
    };
    view! {
        <details class="prices">
            <summary>"Prices"</summary>
            <p class="soft">
                "Costs are computed from this table, and shown wherever tokens are. The table stays in this browser. In a pattern, * matches any characters; the first row that matches the model applies; 0 is a valid price."
            </p>
            <table class="figures" aria-label="Prices">
                <thead>
                    <tr>
                        <th scope="col">"Model pattern"</th>
                        <th scope="col" class="number">"Per million prompt tokens"</th>
                        <th scope="col" class="number">"Per million completion tokens"</th>
                        <th scope="col"><span class="off-screen">"Remove"</span></th>
                    </tr>
                </thead>
                <tbody>
                    {dynamic(move || lines.get().into_iter().enumerate().map(row).collect_view())}
                </tbody>
            </table>
            <p class="price-tools">
                <button type="button" on:click=on_mouse(add)>"Add a price"</button>
                <label>
                    "Unit "
                    <input
                        type="text"
                        size="5"
                        placeholder="$"
                        autocomplete="off"
                        prop:value=move || unit.get()
                        on:change=on_event(move |event| {
                            unit.set(event_target_value(&event));
                            take();
                        })
                    />
                </label>
            </p>
            {dynamic(move || problem.get().map(|sentence| view! { <p class="failed" role="alert">{sentence}</p> }))}
        </details>
    }
}

fn draft(table: &PriceTable) -> Vec<RwSignal<[String; 3]>> {
    let line = |price: &Price| RwSignal::new([price.pattern.clone(), price.prompt.to_string(), price.completion.to_string()]);
    table.prices.iter().map(line).collect()
}

/// The table without its empty rows, or a message about a row that can't be read.
fn read(unit: &str, lines: &[RwSignal<[String; 3]>]) -> Result<PriceTable, String> {
    let mut prices = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let [pattern, prompt, completion] = line.get_untracked();
        if pattern.trim().is_empty() {
            continue;
        }
        let amount = |text: &str, of: &str| {
            read_amount(&text.trim().replace(',', ".")).ok_or_else(|| {
                format!("Row {}: the price of {of} tokens must be a number of 0 or more. The row is ignored until then.", number + 1)
            })
        };
        if prompt.trim().is_empty() && completion.trim().is_empty() {
            continue;
        }
        prices.push(Price {
            pattern: pattern.trim().to_owned(),
            prompt: amount(&prompt, "prompt")?,
            completion: amount(&completion, "completion")?,
        });
    }
    Ok(PriceTable { unit: CostUnit::new(unit), prices })
}
