#include "chat/repository.h"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "base/ids.h"
#include "base/utf8.h"
#include "chat/schema.h"
#include "chat/stored_words.h"
#include "llm/prompt_fit.h"

namespace tars::chat {
namespace {

constexpr std::size_t kTitleCharacters = 80;

std::int64_t micros(WallTime t) { return t.time_since_epoch().count(); }
WallTime from_micros(std::int64_t t) { return WallTime(std::chrono::microseconds(t)); }

std::string title_of(std::string_view content) {
  std::size_t characters = 0;
  std::size_t end = 0;
  for (; end < content.size(); ++end) {
    if (!continues_utf8_character(content[end]) && ++characters > kTitleCharacters) break;
  }
  return std::string(content.substr(0, end));
}

std::string pack(const std::vector<std::uint32_t>& lengths) {
  std::string bytes;
  bytes.reserve(lengths.size() * 4);
  for (const std::uint32_t length : lengths) {
    for (int shift = 0; shift < 32; shift += 8)
      bytes += static_cast<char>((length >> shift) & 0xFFU);
  }
  return bytes;
}

std::vector<std::uint32_t> unpack(std::string_view bytes) {
  std::vector<std::uint32_t> lengths(bytes.size() / 4);
  for (std::size_t i = 0; i < lengths.size() * 4; ++i) {
    lengths[i / 4] |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * (i % 4));
  }
  return lengths;
}

// How many of the youngest turns, whose numbers these are, to keep where older ones do not fit: the
// oldest kept has a number that stays the oldest's until a quarter or more of them is new.
std::size_t youngest_kept(std::span<const std::int64_t> numbers) {
  const auto step = static_cast<std::int64_t>(std::bit_floor(numbers.size() / 2));
  if (step == 0) return numbers.size();
  const std::int64_t first = (numbers.back() + step - 1) / step * step;
  return static_cast<std::size_t>(
      std::ranges::count_if(numbers, [first](std::int64_t number) { return number >= first; }));
}

}  // namespace

Result<Repository> Repository::open(const std::filesystem::path& path) {
  auto database = store::Database::open(path, store::Durability::process_crash, schema());
  if (!database) return std::move(database).error();
  // The worker of all chats must not wait for a lock of another program; what cannot be written now
  // is written by a later pass.
  if (auto done = database->execute("PRAGMA busy_timeout=200"); !done) return done.error();
  return Repository(*std::move(database));
}

Result<void> Repository::probe() {
  // It is that already, and yet the page is written.
  return database_.execute("PRAGMA user_version=" + std::to_string(database_.schema_version()));
}

Result<void> Repository::create_run(const RunInfo& info, std::string_view content,
                                    std::string_view content_hash) {
  auto conversation = database_.prepare(
      "INSERT INTO conversations (client_id, id, title, created_at, updated_at) VALUES (?, ?, ?, "
      "?, ?4)"
      " ON CONFLICT DO UPDATE SET updated_at = excluded.updated_at");
  if (!conversation) return conversation.error();
  conversation->bind(1, info.client_id).bind(2, info.conversation_id).bind(3, title_of(content));
  conversation->bind(4, micros(info.created_at));
  if (auto done = conversation->run(); !done) return done;

  auto run = database_.prepare(
      "INSERT INTO runs (id, client_id, conversation_id, message_id, content_hash, model, status,"
      " created_at) VALUES (?, ?, ?, ?, ?, ?, 'queued', ?)");
  if (!run) return run.error();
  run->bind(1, info.id).bind(2, info.client_id).bind(3, info.conversation_id);
  if (info.message_id.empty()) {
    run->bind(4, nullptr);
  } else {
    run->bind(4, info.message_id);
  }
  run->bind(5, content_hash).bind(6, info.model).bind(7, micros(info.created_at));
  if (auto done = run->run(); !done) return done;
  return insert_message(info, "user", content, false, info.created_at);
}

Result<void> Repository::forget_run(const RunInfo& info) {
  for (const char* sql :
       {"DELETE FROM messages WHERE run_id = ?", "DELETE FROM runs WHERE id = ?"}) {
    auto statement = database_.prepare(sql);
    if (!statement) return statement.error();
    if (auto done = statement->bind(1, info.id).run(); !done) return done;
  }
  auto conversation = database_.prepare(
      "DELETE FROM conversations WHERE client_id = ?1 AND id = ?2 AND NOT EXISTS"
      " (SELECT 1 FROM messages WHERE client_id = ?1 AND conversation_id = ?2)");
  if (!conversation) return conversation.error();
  return conversation->bind(1, info.client_id).bind(2, info.conversation_id).run();
}

Result<void> Repository::insert_message(const RunInfo& info, std::string_view role,
                                        std::string_view content, bool partial, WallTime at) {
  // An answer takes its question's turn, a question the next.
  auto statement = database_.prepare(
      "INSERT INTO messages (id, client_id, conversation_id, role, content, partial, run_id, "
      "created_at,"
      " turn) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, coalesce("
      "(SELECT turn FROM messages WHERE run_id = ?7 AND role = 'user'),"
      "(SELECT max(turn) + 1 FROM messages WHERE client_id = ?2 AND conversation_id = ?3), 1))");
  if (!statement) return statement.error();
  statement->bind(1, make_id("msg")).bind(2, info.client_id).bind(3, info.conversation_id);
  statement->bind(4, role).bind(5, content).bind(6, std::int64_t{partial}).bind(7, info.id);
  statement->bind(8, micros(at));
  return statement->run();
}

Result<void> Repository::append_log(std::string_view run_id, const Slice& slice,
                                    const std::vector<std::uint32_t>& lengths) {
  auto statement =
      database_.prepare("INSERT INTO run_log (run_id, first, text, lengths) VALUES (?, ?, ?, ?)");
  if (!statement) return statement.error();
  statement->bind(1, run_id).bind(2, static_cast<std::int64_t>(slice.first)).bind(3, slice.text);
  statement->bind_blob(4, pack(lengths));
  return statement->run();
}

Result<void> Repository::finish_run(const RunInfo& info, const Outcome& outcome, std::size_t tokens,
                                    std::string_view text, WallTime now) {
  auto run = database_.prepare(
      "UPDATE runs SET status = ?2, finish_reason = ?3, error_code = ?4, error_message = ?5, "
      "tokens = ?6,"
      " prompt_tokens = ?7, cached_tokens = ?8, latency_us = ?9, ttft_us = ?10, tokens_per_1000s = "
      "?11,"
      " finished_at = ?12 WHERE id = ?1");
  if (!run) return run.error();
  run->bind(1, info.id).bind(2, to_word(outcome.status)).bind(3, outcome.finish_reason);
  if (outcome.error) {
    run->bind(4, to_word(outcome.error->code)).bind(5, outcome.error->message);
  } else {
    run->bind(4, nullptr).bind(5, nullptr);
  }
  run->bind(6, static_cast<std::int64_t>(tokens));
  run->bind(7, std::int64_t{outcome.prompt_tokens}).bind(8, std::int64_t{outcome.cached_tokens});
  run->bind(9, static_cast<std::int64_t>(outcome.latency_ms * 1000));
  run->bind(10, static_cast<std::int64_t>(outcome.ttft_ms * 1000));
  run->bind(11, static_cast<std::int64_t>(outcome.tokens_per_second * 1000));
  run->bind(12, micros(now));
  if (auto done = run->run(); !done) return done;
  if (!text.empty()) {
    const bool partial = outcome.status != RunStatus::complete;
    if (auto done = insert_message(info, "assistant", text, partial, now); !done) return done;
  }
  auto touch =
      database_.prepare("UPDATE conversations SET updated_at = ? WHERE client_id = ? AND id = ?");
  if (!touch) return touch.error();
  touch->bind(1, micros(now)).bind(2, info.client_id).bind(3, info.conversation_id);
  return touch->run();
}

Result<std::optional<StoredRun>> Repository::find_run(std::string_view client_id,
                                                      std::string_view run_id) {
  auto statement = select_run();
  if (!statement) return statement.error();
  statement->bind(1, client_id).bind(2, run_id).bind(3, nullptr);
  return read_run(*std::move(statement));
}

Result<std::optional<StoredRun>> Repository::find_message(std::string_view client_id,
                                                          std::string_view message_id) {
  auto statement = select_run();
  if (!statement) return statement.error();
  statement->bind(1, client_id).bind(2, nullptr).bind(3, message_id);
  return read_run(*std::move(statement));
}

// By the client and one of the two ids; the other one is NULL, which equals nothing.
Result<store::Statement> Repository::select_run() {
  return database_.prepare(
      "SELECT id, client_id, conversation_id, message_id, model, created_at, content_hash, status,"
      " finish_reason, error_code, error_message, prompt_tokens, cached_tokens, latency_us,"
      " ttft_us, tokens_per_1000s, log_pruned, finished_at FROM runs"
      " WHERE (client_id = ?1 AND id = ?2) OR (client_id = ?1 AND message_id = ?3)");
}

Result<std::optional<StoredRun>> Repository::read_run(store::Statement row) {
  auto found = row.step();
  if (!found) return found.error();
  if (!*found) return std::optional<StoredRun>{};
  StoredRun run;
  run.info.id = row.text(0);
  run.info.client_id = row.text(1);
  run.info.conversation_id = row.text(2);
  run.info.message_id = row.text(3);
  run.info.model = row.text(4);
  run.info.created_at = from_micros(row.integer(5));
  run.content_hash = row.text(6);
  run.outcome.status = status_from_word(row.text(7));
  run.outcome.finish_reason = row.text(8);
  if (!row.is_null(9)) run.outcome.error = make_error(error_from_word(row.text(9)), row.text(10));
  run.outcome.prompt_tokens = static_cast<int>(row.integer(11));
  run.outcome.cached_tokens = static_cast<int>(row.integer(12));
  run.outcome.latency_ms = static_cast<double>(row.integer(13)) / 1000;
  run.outcome.ttft_ms = static_cast<double>(row.integer(14)) / 1000;
  run.outcome.tokens_per_second = static_cast<double>(row.integer(15)) / 1000;
  run.log_pruned = row.integer(16) != 0;
  if (!row.is_null(17)) run.finished_at = from_micros(row.integer(17));
  return std::optional<StoredRun>(std::move(run));
}

Result<void> Repository::read_log(Run& run) {
  auto row = database_.prepare("SELECT text, lengths FROM run_log WHERE run_id = ? ORDER BY first");
  if (!row) return row.error();
  row->bind(1, run.info().id);
  while (true) {
    auto found = row->step();
    if (!found) return found.error();
    if (!*found) return {};
    const std::string text = row->text(0);
    std::string_view rest = text;
    for (const std::uint32_t length : unpack(row->blob(1))) {
      run.append(rest.substr(0, length), SteadyTime{});
      rest.remove_prefix(std::min<std::size_t>(length, rest.size()));
    }
  }
}

Result<std::vector<Turn>> Repository::history(std::string_view client_id,
                                              std::string_view conversation_id,
                                              std::size_t max_bytes) {
  auto row = database_.prepare(
      "SELECT question.content, answer.content, answer.turn"
      " FROM messages AS answer JOIN messages AS question"
      " ON question.run_id = answer.run_id AND question.role = 'user'"
      " WHERE answer.client_id = ? AND answer.conversation_id = ? AND answer.role = 'assistant'"
      " ORDER BY answer.turn DESC");
  if (!row) return row.error();
  row->bind(1, client_id).bind(2, conversation_id);
  std::vector<Turn> turns;
  std::vector<std::int64_t> numbers;
  std::size_t bytes = 0;
  while (true) {
    auto found = row->step();
    if (!found) return found.error();
    if (!*found) break;
    Turn turn{.user = row->text(0), .assistant = row->text(1)};
    bytes += turn.user.size() + turn.assistant.size() + 2 * llm::kFrameBytes;
    if (bytes > max_bytes) {
      turns.resize(youngest_kept(numbers));
      break;
    }
    turns.push_back(std::move(turn));
    numbers.push_back(row->integer(2));
  }
  std::ranges::reverse(turns);
  return turns;
}

Result<std::vector<RunInfo>> Repository::open_runs() {
  auto row = database_.prepare(
      "SELECT id, client_id, conversation_id, coalesce(message_id, ''), model, created_at FROM runs"
      " WHERE finished_at IS NULL ORDER BY created_at");
  if (!row) return row.error();
  std::vector<RunInfo> runs;
  while (true) {
    auto found = row->step();
    if (!found) return found.error();
    if (!*found) return runs;
    RunInfo info;
    info.id = row->text(0);
    info.client_id = row->text(1);
    info.conversation_id = row->text(2);
    info.message_id = row->text(3);
    info.model = row->text(4);
    info.created_at = from_micros(row->integer(5));
    runs.push_back(std::move(info));
  }
}

Result<std::size_t> Repository::prune_logs(WallTime before, std::size_t limit) {
  auto row = database_.prepare(
      "SELECT id FROM runs WHERE log_pruned = 0 AND finished_at < ? ORDER BY finished_at LIMIT ?");
  if (!row) return row.error();
  row->bind(1, micros(before)).bind(2, static_cast<std::int64_t>(limit));
  std::vector<std::string> ids;
  while (true) {
    auto found = row->step();
    if (!found) return found.error();
    if (!*found) break;
    ids.push_back(row->text(0));
  }
  for (const std::string& id : ids) {
    auto log = database_.prepare("DELETE FROM run_log WHERE run_id = ?");
    if (!log) return log.error();
    if (auto done = log->bind(1, id).run(); !done) return done.error();
    auto run = database_.prepare("UPDATE runs SET log_pruned = 1 WHERE id = ?");
    if (!run) return run.error();
    if (auto done = run->bind(1, id).run(); !done) return done.error();
  }
  return ids.size();
}

}  // namespace tars::chat
