#include "app/models/download_note.h"

#include <fstream>
#include <iterator>
#include <utility>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tars::app {
namespace {

constexpr std::size_t kMaxText = 16 * 1024;

}  // namespace

std::string format_download_note(const DownloadNote& note) {
  std::string out;
  api::JsonWriter json(out);
  json.begin_object().field("url", note.url).field("validator", note.validator);
  if (note.total) json.field("total", *note.total);
  json.end_object();
  return out;
}

std::optional<DownloadNote> parse_download_note(std::string_view text) {
  api::JsonDocument document;
  if (!document.parse(text)) return std::nullopt;
  api::FieldReader fields(document.object());
  DownloadNote out;
  out.url = fields.required_string("url", {1, kMaxText});
  out.validator = fields.string("validator", {0, kMaxText}).value_or("");
  if (const auto total = fields.integer("total", 0, INT64_MAX)) {
    out.total = static_cast<std::uint64_t>(*total);
  }
  if (fields.error(ErrorCode::invalid_json)) return std::nullopt;
  return out;
}

std::optional<DownloadNote> read_download_note(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return parse_download_note(std::string(std::istreambuf_iterator<char>(in), {}));
}

Result<void> write_download_note(const std::filesystem::path& path, const DownloadNote& note) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << format_download_note(note) << std::flush;
  if (out) return {};
  return make_error(ErrorCode::io_error,
                    path.string() + " cannot be written; check its folder and the disk");
}

}  // namespace tars::app
