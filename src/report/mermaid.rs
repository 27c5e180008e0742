//! Pictures that GitHub draws where Markdown holds them: <https://mermaid.js.org>.

use std::fmt::Write;
use std::time::Duration;

use super::seconds;

/// Phases one after the other, on a time line, each with how long it took.
pub(crate) fn gantt(phases: &[(&str, Duration)]) -> String {
    let mut text = String::from(
        "```mermaid\ngantt\n    dateFormat x\n    axisFormat %M:%S\n    section Phases\n",
    );
    let mut began = Duration::ZERO;
    for (name, took) in phases {
        let ended = began + *took;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "    {name} ({}) : {}, {}",
            seconds(*took),
            began.as_millis(),
            ended.as_millis()
        );
        began = ended;
    }
    text.push_str("```\n");
    text
}

/// Bars of US dollars, each with its number: GitHub draws none beside them.
pub(crate) fn bars(title: &str, bars: &[(&str, f64)]) -> String {
    let most = bars.iter().map(|(_, usd)| *usd).fold(0.0001, f64::max);
    let names: Vec<String> = bars
        .iter()
        .map(|(name, usd)| format!("\"{name}: ${usd:.4}\""))
        .collect();
    let values: Vec<String> = bars.iter().map(|(_, usd)| format!("{usd:.4}")).collect();
    format!(
        "```mermaid\nxychart-beta\n    title \"{title}\"\n    x-axis [{}]\n    y-axis \"US dollars\" 0 --> {most:.4}\n    bar [{}]\n```\n",
        names.join(", "),
        values.join(", ")
    )
}
