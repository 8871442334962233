//! The figures of a comparison: collected round by round, then printed as a table or as JSON.
//!
//! A ratio is always how many times better ours is, whichever way better points.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::statistics::{median, ratio};
use crate::targets::{self, Condition};

/// Which way better points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

/// Whose value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Ours,
    Java,
    /// The echo, or the sum of echo and raw sync for durable writes.
    Control,
}

/// What is measured in a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
}

impl Metric {
    pub(crate) const fn higher(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, better: Better::Higher }
    }

    pub(crate) const fn lower(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, better: Better::Lower }
    }
}

/// One line of the table: a value a round in each column.
#[derive(Clone, Debug)]
struct Figure {
    workload: &'static str,
    metric: Metric,
    ours: Vec<f64>,
    java: Vec<f64>,
    control: Vec<f64>,
}

impl Figure {
    fn better_by(&self, other: &[f64]) -> Option<f64> {
        match self.metric.better {
            Better::Higher => ratio(&self.ours, other),
            Better::Lower => ratio(other, &self.ours),
        }
    }

    fn share_of_control(&self) -> Option<f64> {
        self.better_by(&self.control)
    }

    /// The targets of this figure, each with whether it was reached; `None` if that is not known.
    fn verdicts(&self) -> Vec<(Condition, Option<bool>)> {
        let reached = |condition: &Condition| {
            Some(match *condition {
                Condition::TimesJava(least) => self.better_by(&self.java)? >= least,
                Condition::ShareOfControl(least) => self.share_of_control()? >= least,
                Condition::AtMost(most) => median(&self.ours)? <= most,
            })
        };
        targets::of(self.workload, self.metric.name).map(|c| (c, reached(&c))).collect()
    }
}

/// All figures of a run.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    notes: Vec<String>,
    figures: Vec<Figure>,
}

impl Report {
    pub(crate) fn new(machine: Machine) -> Self {
        let notes = machine.notes();
        Self { machine, notes, figures: Vec::new() }
    }

    /// Says something that the reader must know beside the figures.
    pub(crate) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Adds the value of one round.
    pub(crate) fn record(
        &mut self,
        workload: &'static str,
        metric: Metric,
        column: Column,
        value: f64,
    ) {
        let is_it = |figure: &Figure| figure.workload == workload && figure.metric == metric;
        let index = self.figures.iter().position(is_it).unwrap_or_else(|| {
            let (ours, java, control) = (Vec::new(), Vec::new(), Vec::new());
            self.figures.push(Figure { workload, metric, ours, java, control });
            self.figures.len() - 1
        });
        let figure = &mut self.figures[index];
        match column {
            Column::Ours => figure.ours.push(value),
            Column::Java => figure.java.push(value),
            Column::Control => figure.control.push(value),
        }
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let head = [
            "workload", "figure", "ours", "Java", "ratio", "control", "share", "target", "reached?",
        ]
        .map(str::to_owned);
        let mut rows = vec![head];
        rows.extend(self.figures.iter().map(row));
        let mut out = String::new();
        for note in &self.notes {
            line(&mut out, &format!("note: {note}"));
        }
        let m = &self.machine;
        let place = format!(
            "kernel {}, {} CPUs; own network namespace: {}, high priority: {}, pinned: {}\n",
            m.kernel, m.cpus, m.own_network, m.preferred, m.pinned
        );
        line(&mut out, &place);
        let widths: Vec<_> = (0..rows[0].len())
            .map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0))
            .collect();
        for row in &rows {
            let mut text = String::new();
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - cell.chars().count());
                let is_number = (2..7).contains(&at);
                text +=
                    &if is_number { format!("{pad}{cell}  ") } else { format!("{cell}{pad}  ") };
            }
            line(&mut out, text.trim_end());
        }
        out
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let column = |values: &[f64]| json!({ "median": median(values), "rounds": values });
        let figures: Vec<_> = self
            .figures
            .iter()
            .map(|figure| {
                let targets: Vec<_> = figure
                    .verdicts()
                    .iter()
                    .map(|(condition, reached)| {
                        json!({ "target": condition.text(), "reached": reached })
                    })
                    .collect();
                json!({
                    "workload": figure.workload,
                    "figure": figure.metric.name,
                    "unit": figure.metric.unit,
                    "ours": column(&figure.ours),
                    "java": column(&figure.java),
                    "control": column(&figure.control),
                    "times_java": figure.better_by(&figure.java),
                    "share_of_control": figure.share_of_control(),
                    "targets": targets,
                })
            })
            .collect();
        json!({ "machine": self.machine, "notes": self.notes, "figures": figures })
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes every text");
}

fn row(figure: &Figure) -> [String; 9] {
    let value = |values: &[f64]| median(values).map_or_else(String::new, short);
    let verdicts = figure.verdicts();
    let reached = verdicts.iter().map(|(_, reached)| match reached {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "?",
    });
    let targets = verdicts.iter().map(|(condition, _)| condition.text());
    [
        figure.workload.to_owned(),
        format!("{} [{}]", figure.metric.name, figure.metric.unit),
        value(&figure.ours),
        value(&figure.java),
        figure.better_by(&figure.java).map_or_else(String::new, |r| format!("{r:.2}x")),
        value(&figure.control),
        figure.share_of_control().map_or_else(String::new, |s| format!("{:.0} %", s * 100.0)),
        targets.collect::<Vec<_>>().join(", "),
        reached.collect::<Vec<_>>().join(", "),
    ]
}

/// Three digits that matter, thousands apart.
fn short(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn report() -> Report {
        let mut report = Report::new(Machine {
            kernel: "6.1".to_owned(),
            cpus: 2,
            own_network: false,
            preferred: true,
            pinned: true,
        });
        let rate = Metric::higher("per CPU-second", "req/s");
        for (ours, java) in [(100_000.0, 50_000.0), (130_000.0, 50_000.0), (150_000.0, 50_000.0)] {
            report.record("get 50x1", rate, Column::Ours, ours);
            report.record("get 50x1", rate, Column::Java, java);
        }
        report.record("get 50x1", rate, Column::Control, 160_000.0);
        report.record("cold start", Metric::lower("first session", "ms"), Column::Ours, 20.5);
        report
    }

    #[test]
    fn a_table_has_a_line_for_each_figure() {
        expect![[r#"
            note: no network namespace of its own (needs root): loopback is up to 20 % dearer
            kernel 6.1, 2 CPUs; own network namespace: false, high priority: true, pinned: true

            workload    figure                     ours    Java  ratio  control  share  target                       reached?
            get 50x1    per CPU-second [req/s]  130 000  50 000  2.60x  160 000   81 %  >= 2.5x, >= 85 % of control  yes, NO
            cold start  first session [ms]         20.5                                 <= 15                        NO
        "#]]
        .assert_eq(&report().table());
    }

    #[test]
    fn json_has_every_round() {
        let json = report().json();
        let figure = &json["figures"][0];
        assert_eq!(figure["ours"]["rounds"], json!([100_000.0, 130_000.0, 150_000.0]));
        assert_eq!(figure["times_java"], json!(2.6));
        assert_eq!(json["figures"][1]["targets"][0]["reached"], json!(false));
        assert_eq!(json["figures"][1]["java"]["median"], Value::Null);
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.5, "0.50"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1234.0, "1 234"),
            (-250_000.0, "-250 000"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
