//! One suite for every adapter of the store. A new adapter is one more line at
//! the end of this file.

#[path = "conformance/apps.rs"]
mod apps;
#[path = "conformance/audit.rs"]
mod audit;
#[path = "conformance/deployments.rs"]
mod deployments;
#[path = "conformance/leases.rs"]
mod leases;
#[path = "conformance/logs.rs"]
mod logs;
#[path = "conformance/outbox.rs"]
mod outbox;
#[path = "conformance/registry.rs"]
mod registry;
#[path = "conformance/sample.rs"]
mod sample;
#[path = "conformance/sessions.rs"]
mod sessions;
#[path = "conformance/tokens.rs"]
mod tokens;
#[path = "conformance/webhooks.rs"]
mod webhooks;

use shipway_store::{MemoryStore, SqliteStore};

/// A store of its own for each test, with what must outlive it.
async fn memory() -> anyhow::Result<(MemoryStore, ())> {
    Ok((MemoryStore::new(), ()))
}

async fn sqlite() -> anyhow::Result<(SqliteStore, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("shipway.db")).await?;
    Ok((store, folder))
}

/// Makes a test of each function for an adapter.
macro_rules! suite {
    ($adapter:ident: $($module:ident { $($test:ident),* $(,)? })*) => {
        mod $adapter {
            $(mod $module {
                $(#[tokio::test]
                async fn $test() -> anyhow::Result<()> {
                    let (store, _kept) = crate::$adapter().await?;
                    crate::$module::$test(&store).await
                })*
            })*
        }
    };
}

/// The whole suite, for each adapter.
macro_rules! every {
    ($($adapter:ident)*) => {$(
        suite! { $adapter:
            apps {
                an_app_is_kept_and_changed,
                names_are_unique_and_missing_ones_are_said,
                environments_are_kept_and_changed,
                a_domain_belongs_to_one_environment,
                deleting_an_app_takes_everything_with_it,
                deleting_an_environment_leaves_the_others,
            }
            audit {
                acts_are_kept_newest_first_with_a_cursor,
                a_filter_finds_by_actor_action_app_and_time,
                what_is_refused_never_pushes_out_what_was_done,
                what_is_too_old_goes,
            }
            deployments {
                the_first_entry_is_its_trigger,
                an_idempotency_key_gives_the_earlier_deployment,
                the_journal_has_no_gap_and_comes_back_as_it_was,
                the_projection_follows_the_journal,
                a_switch_says_what_serves,
                nothing_is_added_after_the_end,
                listing_is_newest_first_with_a_cursor,
                unfinished_are_oldest_first,
                a_writer_without_the_newest_lease_writes_nothing,
                writers_at_once_leave_no_gap,
                a_writer_who_is_not_up_to_date_writes_nothing,
            }
            leases {
                one_holder_at_a_time,
                an_expired_lease_is_taken_over,
                a_lease_given_back_is_free_and_lost,
                generations_outlive_the_environment,
            }
            logs {
                lines_are_numbered_on,
                a_worker_adds_no_lines_once_another_has_its_lease,
                a_log_needs_its_deployment,
                a_log_knows_its_size,
                lines_are_left_out_and_it_is_said,
                old_logs_are_pruned_and_say_so,
                too_many_logs_are_pruned_from_the_oldest,
            }
            outbox {
                whoever_is_subscribed_is_due_from_the_first_entry,
                what_is_taken_is_nobody_elses_until_then,
                a_place_moves_on_and_never_back,
                who_is_told_later_keeps_the_count_of_tries,
                the_backlog_is_what_is_still_to_be_told,
            }
            registry {
                a_plugin_and_its_component_are_kept,
                a_component_must_be_there,
                a_component_stays_while_a_deployment_runs,
            }
            sessions {
                a_session_is_found_by_its_digest_until_it_is_deleted,
                sessions_that_are_over_go_when_another_begins,
            }
            tokens {
                tokens_are_found_by_digest,
                a_use_is_noted_to_the_minute,
                tokens_are_deleted,
            }
            webhooks {
                webhooks_are_kept_by_app,
                webhooks_go_alone_and_with_their_app,
                a_delivery_is_new_once,
            }
        }
    )*};
}

every! { memory sqlite }
