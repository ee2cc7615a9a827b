//! The audit log as people read it.

use shipway_core::audit::{Outcome, Record};

use crate::output::{or_dash, table};

/// A list, newest first.
pub fn list(records: &[Record]) -> String {
    if records.is_empty() {
        return "nothing is written down".to_owned();
    }
    table(
        ["WHEN", "WHO", "FROM", "ACTION", "WHAT", "OUTCOME"],
        records.iter().map(|record| {
            let act = &record.act;
            [
                act.at.to_string(),
                act.actor.to_string(),
                or_dash(act.from),
                act.action.clone(),
                act.subject.clone(),
                outcome(record),
            ]
        }),
    )
}

fn outcome(record: &Record) -> String {
    let outcome = match &record.act.outcome {
        Outcome::Accepted => "accepted".to_owned(),
        Outcome::Refused { reason } => format!("refused: {reason}"),
        Outcome::Failed { reason } => format!("failed: {reason}"),
    };
    match record.act.unrecorded {
        0 => outcome,
        count => format!("{outcome} (after {count} refused attempts more)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_a_table() {
        let records: Vec<Record> = serde_json::from_value(serde_json::json!([
            {"number": 2, "at": "2026-11-20T10:00:01Z", "actor": {"kind": "anonymous"},
             "from": "198.51.100.7", "action": "create_app", "subject": "/v1/apps",
             "app": null, "outcome": {"result": "refused", "reason": "unauthorized"}, "unrecorded": 7},
            {"number": 1, "at": "2026-11-20T10:00:00Z", "actor": {"kind": "token", "name": "ci"},
             "from": null, "action": "create_deployment", "subject": "/v1/deployments/1",
             "app": "shop", "outcome": {"result": "accepted"}, "unrecorded": 0}
        ]))
        .unwrap();
        insta::assert_snapshot!(list(&records), @r"
        WHEN                  WHO        FROM          ACTION             WHAT               OUTCOME
        2026-11-20T10:00:01Z  anonymous  198.51.100.7  create_app         /v1/apps           refused: unauthorized (after 7 refused attempts more)
        2026-11-20T10:00:00Z  token ci   -             create_deployment  /v1/deployments/1  accepted
        ");
    }
}
