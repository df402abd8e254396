#include "app/backup/manifest.h"

#include <boost/json/array.hpp>

#include <algorithm>
#include <system_error>

#include "api/json_reader.h"
#include "api/json_writer.h"
#include "app/open_secrets.h"
#include "auth/ledger.h"
#include "base/read_file.h"
#include "base/sha256.h"
#include "chat/schema.h"

namespace tars::app {
namespace {

constexpr int kFormat = 1;
constexpr std::size_t kMaxText = 256;
constexpr std::size_t kMaxManifest = 1024 * 1024;

Error refuse(const std::string& why) {
  return make_error(ErrorCode::config_error, "the backup cannot be used: " + why);
}

// The newest schema that this program knows; 0 = it does not know the database.
int known_schema(std::string_view name) {
  if (name == "auth.db") return auth::Ledger::newest_schema();
  if (name == "chat.db") return static_cast<int>(chat::schema().size());
  return 0;
}

// Earlier versions took every database that lay in the folder into a backup.
bool may_be_listed(std::string_view name) {
  const bool plain = name.find('/') == name.npos && !name.starts_with('.');
  return is_backup_file(name) || (name.ends_with(".db") && plain);
}

Result<BackupFile> parse_file(const boost::json::object& object) {
  api::FieldReader fields(object);
  BackupFile out;
  out.name = fields.required_string("name", {1, kMaxText});
  out.bytes = static_cast<std::uint64_t>(fields.integer("bytes", 0, INT64_MAX).value_or(0));
  out.sha256 = fields.required_string("sha256", {64, 64});
  out.schema = static_cast<int>(fields.integer("schema", 0, INT32_MAX).value_or(0));
  if (auto error = fields.error(ErrorCode::config_error)) return refuse(error->message);
  if (!may_be_listed(out.name)) return refuse("\"" + out.name + "\" is no file of a backup");
  return out;
}

Result<void> check_file(const std::filesystem::path& folder, const BackupFile& file) {
  std::error_code error;
  const auto path = folder / file.name;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) return refuse(path.string() + " cannot be read (" + error.message() + ")");
  if (bytes != file.bytes) {
    return refuse(path.string() + " has " + std::to_string(bytes) + " bytes and not " +
                  std::to_string(file.bytes) + ": copy the backup again");
  }
  const Result<std::string> hash = sha256_file(path);
  if (!hash) return refuse(hash.error().message);
  if (*hash != file.sha256) {
    return refuse(path.string() +
                  " is not what was backed up (its sha256 differs): copy the "
                  "backup again, or use an earlier one");
  }
  const int known = known_schema(file.name);
  if (known > 0 && file.schema > known) {
    return refuse(file.name + " was written by a newer T.A.R.S. (schema " +
                  std::to_string(file.schema) + ", this program knows " + std::to_string(known) +
                  "): update the program");
  }
  return {};
}

}  // namespace

bool is_backup_file(std::string_view name) {
  return known_schema(name) > 0 || name == kSecretFile || name == kEnrollmentKeyFile;
}

std::string_view database_of(std::string_view name) {
  for (const std::string_view suffix : {"-wal", "-shm", "-journal"}) {
    if (!name.ends_with(suffix)) continue;
    name.remove_suffix(suffix.size());
    return name.ends_with(".db") ? name : std::string_view();
  }
  return {};
}

bool is_state_file(std::string_view name) {
  return is_backup_file(name) || is_backup_file(database_of(name));
}

std::string format_manifest(const Manifest& manifest) {
  std::string out;
  api::JsonWriter json(out);
  json.begin_object();
  json.field("format", kFormat);
  json.field("program", manifest.program);
  json.field("created_at", format_rfc3339(manifest.created_at));
  json.begin_array("files");
  for (const BackupFile& file : manifest.files) {
    json.begin_object();
    json.field("name", file.name);
    json.field("bytes", file.bytes);
    json.field("sha256", file.sha256);
    json.field("schema", file.schema);
    json.end_object();
  }
  json.end_array().end_object();
  return out + "\n";
}

Result<Manifest> parse_manifest(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  api::JsonDocument document;
  if (!document.parse(text)) return refuse("its manifest is no JSON object");
  api::FieldReader fields(document.object());
  if (fields.integer("format", 0, INT32_MAX).value_or(0) != kFormat) {
    return refuse("its format is none that this program knows: update the program");
  }
  Manifest out;
  out.program = fields.required_string("program", {1, kMaxText});
  const Result<WallTime> time = parse_rfc3339(fields.required_string("created_at", {1, kMaxText}));
  if (!time) fields.fail("created_at", "must be a time");
  if (auto error = fields.error(ErrorCode::config_error)) return refuse(error->message);
  out.created_at = *time;
  const boost::json::value* files = document.object().if_contains("files");
  if (files == nullptr || !files->is_array() || files->get_array().empty()) {
    return refuse("its manifest lists no files");
  }
  for (const boost::json::value& item : files->get_array()) {
    if (!item.is_object()) return refuse("its manifest has a file that is no object");
    Result<BackupFile> file = parse_file(item.get_object());
    if (!file) return file.error();
    out.files.push_back(*std::move(file));
  }
  return out;
}

Result<Manifest> read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kManifestFile;
  std::error_code error;
  if (symlink_status(path, error).type() == std::filesystem::file_type::not_found) {
    return refuse("there is no " + path.string() + ": name the folder that tars backup made");
  }
  const Result<std::string> text = read_file(path, kMaxManifest + 1);
  if (!text) {
    return refuse(path.string() + " cannot be read (" + text.error().message +
                  "): run this as the user that the backup belongs to, or give it to this one "
                  "(sudo chown -R)");
  }
  if (text->size() > kMaxManifest) return refuse("its manifest is too long");
  Result<Manifest> manifest = parse_manifest(*text);
  if (manifest) return manifest;
  return make_error(manifest.error().code, manifest.error().message + " (" + path.string() + ")");
}

Result<void> check_backup(const std::filesystem::path& folder, const Manifest& manifest) {
  for (const BackupFile& file : manifest.files) {
    if (auto good = check_file(folder, file); !good) return good.error();
  }
  return {};
}

}  // namespace tars::app
