// What a start does with runs that an earlier process left behind.
#pragma once

#include <chrono>
#include <memory>

#include "base/clock.h"
#include "chat/live_run.h"
#include "chat/repository.h"

namespace tars::chat {

// Marks every run that no process finished as interrupted; its logged text becomes a partial
// answer. How many it were. One transaction: all or none.
Result<std::size_t> recover_runs(Repository& repository, const Clock& clock);

// A stored run as one in memory, to be followed: its tokens and its end. Where it ended longer than
// `retention` before `now`, or the log is gone for that or was cut by a crash, it ends with
// history_lost.
Result<std::shared_ptr<LiveRun>> restore_run(Repository& repository, StoredRun stored,
                                             std::chrono::seconds retention, WallTime now);

}  // namespace tars::chat
