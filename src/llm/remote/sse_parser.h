// Server-sent events: bytes in, the data of each event out (WHATWG HTML, section 9.2.6).
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tars::llm {

// Lines end with LF, CR or CRLF; a byte order mark before the first is skipped; the data lines of
// an event are joined by LF; comments, id and retry are passed over; an event that the
// stream's end cuts off is dropped, as the standard has it. Bounded: generation_error for a line or
// an event's data longer than `max_bytes`. For one thread.
class SseParser {
 public:
  // Called for each event that has data; `name` is empty where it has none. An error ends the
  // feeding.
  using Take = std::function<Result<void>(std::string_view name, std::string_view data)>;

  explicit SseParser(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  Result<void> feed(std::string_view bytes, const Take& take);

 private:
  Result<void> take_line(std::string_view line, const Take& take);
  Result<void> dispatch(const Take& take);
  Error too_long() const;

  const std::size_t max_bytes_;
  std::string held_;  // of a line that is not whole yet
  std::string data_;  // each data line, with an LF behind it
  std::string name_;
  bool first_line_ = true;
  bool after_cr_ = false;  // an LF that comes next belongs to the line before
};

}  // namespace tars::llm
