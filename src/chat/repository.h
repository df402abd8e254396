// What chat.db holds and how it is asked: conversations, messages, runs and their logs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "chat/run.h"
#include "store/database.h"

namespace tars::chat {

// One question and its answer, as they go into a prompt.
struct Turn {
  std::string user;
  std::string assistant;
};

struct StoredRun {
  RunInfo info;  // submitted_at is not kept
  std::string content_hash;
  Outcome outcome;  // of a run that has ended
  std::optional<WallTime> finished_at = {};
  bool log_pruned = false;
};

// One database connection: for one thread at a time. Errors are store_unavailable. Writes belong
// into a transaction of the caller.
class Repository {
 public:
  // Makes the file where there is none and brings an older one up to date, which no older program
  // reads afterwards. config_error for one of a newer program.
  static Result<Repository> open(const std::filesystem::path& path);
  explicit Repository(store::Database database) : database_(std::move(database)) {}

  store::Database& database() { return database_; }
  // Writes a little, to see whether one can.
  Result<void> probe();

  // The run, its question, and the conversation where it is new (its title is the question's first
  // 80 characters).
  Result<void> create_run(const RunInfo& info, std::string_view content,
                          std::string_view content_hash);
  // Tokens that follow those stored. `lengths` in bytes of the slice's text.
  Result<void> append_log(std::string_view run_id, const Slice& slice,
                          const std::vector<std::uint32_t>& lengths);
  // How it ended; with text, the answer joins the conversation (partial unless complete).
  Result<void> finish_run(const RunInfo& info, const Outcome& outcome, std::size_t tokens,
                          std::string_view text, WallTime now);

  // As if create_run() had not been: with the question, and with the conversation where it has no
  // other message. For a run without tokens.
  Result<void> forget_run(const RunInfo& info);

  // nullopt for an unknown run and for another client's alike.
  Result<std::optional<StoredRun>> find_run(std::string_view client_id, std::string_view run_id);
  Result<std::optional<StoredRun>> find_message(std::string_view client_id,
                                                std::string_view message_id);
  // Appends the stored tokens to `run`.
  Result<void> read_log(Run& run);
  // The turns that have an answer with text, oldest first: the youngest that fit into `max_bytes`,
  // each counted with a little for its frame in a prompt. Where older ones are left out, up to
  // half of the others go with them: so that the next turns of a conversation begin at the same
  // place, and share with this one what the model has computed.
  // A question without one is left out: chat templates want both sides in turn, and some refuse an
  // empty one.
  Result<std::vector<Turn>> history(std::string_view client_id, std::string_view conversation_id,
                                    std::size_t max_bytes);
  // Runs that no process finished.
  Result<std::vector<RunInfo>> open_runs();
  // Drops the logs of at most `limit` runs that ended before `before`; messages stay. How many it
  // were.
  Result<std::size_t> prune_logs(WallTime before, std::size_t limit);

 private:
  Result<void> insert_message(const RunInfo& info, std::string_view role, std::string_view content,
                              bool partial, WallTime at);
  Result<store::Statement> select_run();
  Result<std::optional<StoredRun>> read_run(store::Statement statement);

  store::Database database_;
};

}  // namespace tars::chat
