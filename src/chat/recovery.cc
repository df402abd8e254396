#include "chat/recovery.h"

#include <utility>

namespace tars::chat {

Result<std::size_t> recover_runs(Repository& repository, const Clock& clock) {
  auto open = repository.open_runs();
  if (!open) return open.error();
  if (open->empty()) return std::size_t{0};
  auto transaction = store::Transaction::begin(repository.database());
  if (!transaction) return transaction.error();
  for (RunInfo& info : *open) {
    Run run(std::move(info));
    if (auto done = repository.read_log(run); !done) return done.error();
    Outcome outcome;
    outcome.status = RunStatus::interrupted;
    outcome.error = make_error(ErrorCode::history_lost,
                               "the server stopped while this was being answered: ask again");
    auto done = repository.finish_run(run.info(), outcome, run.tokens(), run.text(), clock.wall());
    if (!done) return done.error();
  }
  if (auto done = transaction->commit(); !done) return done.error();
  return open->size();
}

Result<std::shared_ptr<LiveRun>> restore_run(Repository& repository, StoredRun stored,
                                             std::chrono::seconds retention, WallTime now) {
  auto run = std::make_shared<Run>(std::move(stored.info));
  if (stored.log_pruned || (stored.finished_at && *stored.finished_at < now - retention)) {
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(retention).count();
    stored.outcome.error = make_error(ErrorCode::history_lost,
                                      "an answer can be replayed for " + std::to_string(hours) +
                                          " hours: read it in its conversation");
  } else if (auto done = repository.read_log(*run); !done) {
    return done.error();
  }
  // Its end could not be written while the store was in trouble.
  if (stored.outcome.status == RunStatus::queued || stored.outcome.status == RunStatus::running) {
    stored.outcome.status = RunStatus::interrupted;
    stored.outcome.error = make_error(ErrorCode::history_lost,
                                      "the rest of this answer could not be stored: ask again");
  }
  run->finish(std::move(stored.outcome));
  return std::make_shared<LiveRun>(std::move(run), std::move(stored.content_hash));
}

}  // namespace tars::chat
