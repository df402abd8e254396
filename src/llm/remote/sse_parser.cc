#include "llm/remote/sse_parser.h"

#include <algorithm>

namespace tars::llm {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The first CR or LF. Two memchr are faster than a look at every byte.
std::size_t find_line_end(std::string_view bytes) {
  const std::size_t lf = bytes.find('\n');
  return std::min(lf, bytes.substr(0, lf).find('\r'));
}

}  // namespace

Result<void> SseParser::feed(std::string_view bytes, const Take& take) {
  while (!bytes.empty()) {
    if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
    after_cr_ = false;
    if (bytes.empty()) return {};
    const std::size_t end = find_line_end(bytes);
    const std::string_view piece = bytes.substr(0, end);
    if (held_.size() + piece.size() > max_bytes_) return too_long();
    if (end == std::string_view::npos) {
      held_ += piece;
      return {};
    }
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    Result<void> taken;
    if (held_.empty()) {
      taken = take_line(piece, take);
    } else {
      held_ += piece;
      taken = take_line(held_, take);
      held_.clear();
    }
    if (!taken) return taken;
  }
  return {};
}

Result<void> SseParser::take_line(std::string_view line, const Take& take) {
  if (std::exchange(first_line_, false) && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  if (line.empty()) return dispatch(take);
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  // llama-server wrote its failures into a field of this name for long, and [DONE] behind them. The
  // standard drops it; the answer would look whole.
  const bool is_error = field == "error" && value.starts_with('{');
  if (field != "data" && field != "event" && !is_error) return {};
  if (is_error) name_ = field;
  if (field == "event") {
    name_ = value;
    return {};
  }
  if (data_.size() + value.size() > max_bytes_) return too_long();
  data_ += value;
  data_ += '\n';
  return {};
}

Result<void> SseParser::dispatch(const Take& take) {
  Result<void> taken;
  if (!data_.empty()) taken = take(name_, std::string_view(data_).substr(0, data_.size() - 1));
  data_.clear();
  name_.clear();
  return taken;
}

Error SseParser::too_long() const {
  return make_error(ErrorCode::generation_error, "the model server sent an event of more than " +
                                                     std::to_string(max_bytes_) + " bytes");
}

}  // namespace tars::llm
