#include "chat/schema.h"

#include <array>

namespace tars::chat {
namespace {

// A conversation's id is the client's own choice, so it is unique per client only.
// messages.turn orders a conversation: a question keeps its place although its answer comes later,
// when the next question may wait already. parent_message_id is for answers that are asked for
// again. run_log holds a run's tokens in batches: `lengths` is 4 bytes a token, little-endian, of
// text's bytes.
constexpr std::string_view kFirst = R"sql(
CREATE TABLE conversations (
  client_id TEXT NOT NULL,
  id TEXT NOT NULL,
  title TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (client_id, id)
) WITHOUT ROWID;
CREATE INDEX conversations_recent ON conversations (client_id, updated_at, id);

CREATE TABLE messages (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  client_id TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  turn INTEGER NOT NULL,
  role TEXT NOT NULL,
  content TEXT NOT NULL,
  partial INTEGER NOT NULL DEFAULT 0,
  run_id TEXT,
  parent_message_id TEXT,
  created_at INTEGER NOT NULL
);
CREATE INDEX messages_conversation ON messages (client_id, conversation_id, turn, sequence);
CREATE INDEX messages_run ON messages (run_id);

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  client_id TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  message_id TEXT,
  content_hash TEXT NOT NULL,
  model TEXT NOT NULL,
  status TEXT NOT NULL,
  finish_reason TEXT NOT NULL DEFAULT '',
  error_code TEXT,
  error_message TEXT,
  tokens INTEGER NOT NULL DEFAULT 0,
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  latency_us INTEGER NOT NULL DEFAULT 0,
  ttft_us INTEGER NOT NULL DEFAULT 0,
  tokens_per_1000s INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  log_pruned INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE UNIQUE INDEX runs_message ON runs (client_id, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX runs_conversation ON runs (client_id, conversation_id, created_at);
CREATE INDEX runs_open ON runs (created_at) WHERE finished_at IS NULL;
CREATE INDEX runs_prunable ON runs (finished_at) WHERE log_pruned = 0;

CREATE TABLE run_log (
  run_id TEXT NOT NULL,
  first INTEGER NOT NULL,
  text TEXT NOT NULL,
  lengths BLOB NOT NULL,
  PRIMARY KEY (run_id, first)
) WITHOUT ROWID;
)sql";

// Rows in the order of writing: hundreds of answers at once then fill a few pages one after the
// other, where clustered by run each of them dirtied a page of its own at every pass.
constexpr std::string_view kLogInOrderOfWriting = R"sql(
ALTER TABLE run_log RENAME TO clustered_run_log;
CREATE TABLE run_log (
  sequence INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL,
  first INTEGER NOT NULL,
  text TEXT NOT NULL,
  lengths BLOB NOT NULL
);
INSERT INTO run_log (run_id, first, text, lengths)
  SELECT run_id, first, text, lengths FROM clustered_run_log ORDER BY run_id, first;
DROP TABLE clustered_run_log;
CREATE UNIQUE INDEX run_log_run ON run_log (run_id, first);
)sql";

constexpr std::array kMigrations{store::Migration{.version = 1, .sql = kFirst},
                                 store::Migration{.version = 2, .sql = kLogInOrderOfWriting}};

}  // namespace

std::span<const store::Migration> schema() { return kMigrations; }

}  // namespace tars::chat
