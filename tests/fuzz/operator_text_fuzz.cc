// Any bytes as what the verbs read: lines of the control socket, a backup's manifest, the note
// beside a download, a Content-Range. What is taken comes through a second time as it is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "app/backup/manifest.h"
#include "app/control/control_message.h"
#include "app/models/content_range.h"
#include "app/models/download_note.h"

namespace {

using namespace tars::app;

void require(bool good) {
  if (!good) std::abort();
}

void control(std::string_view text) {
  if (const auto request = parse_control_request(text)) {
    const std::string once = format_control_request(*request);
    require(once.find('\n') == once.npos);
    require(format_control_request(parse_control_request(once).value()) == once);
  }
  if (const auto answer = parse_control_answer(text)) {
    const std::string once = format_control_answer(answer);
    require(once.find('\n') == once.npos);
    require(format_control_answer(parse_control_answer(once)) == once);
  }
}

void files(std::string_view text) {
  if (const auto manifest = parse_manifest(text)) {
    for (const BackupFile& file : manifest->files) {
      require(file.name.find('/') == file.name.npos && !file.name.starts_with('.'));
    }
    const std::string once = format_manifest(*manifest);
    require(format_manifest(parse_manifest(once).value()) == once);
  }
  if (const auto note = parse_download_note(text)) {
    const std::string once = format_download_note(*note);
    require(format_download_note(parse_download_note(once).value()) == once);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  control(text);
  files(text);
  if (const auto range = parse_content_range(text)) {
    require(range->first || range->total);
    require(!range->first || !range->total || *range->first < *range->total);
  }
  return 0;
}
