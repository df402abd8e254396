// JSON from clients, turned into typed fields with errors that name each bad one.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tars::api {

// Owns one parsed document; small ones live in a buffer inside, so that a request costs no
// allocation. Nesting is bounded (32 levels), bad UTF-8 is refused.
class JsonDocument {
 public:
  JsonDocument() = default;
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  // invalid_json, or invalid_message when the document is no object. Once per document.
  Result<void> parse(std::string_view bytes);
  const boost::json::object& object() const { return value_.get_object(); }

 private:
  std::array<unsigned char, 2048> buffer_;
  boost::json::monotonic_resource memory_{buffer_.data(), buffer_.size()};
  boost::json::value value_ = boost::json::value(boost::json::storage_ptr(&memory_));
};

// Reads the fields of one object and gathers what is wrong with them. A field that is null counts
// as absent; unknown fields are never looked at. Lengths are in code points.
class FieldReader {
 public:
  explicit FieldReader(const boost::json::object& object) : object_(object) {}

  struct Length {
    std::size_t min = 1;
    std::size_t max = 128;
  };
  struct Range {
    double min = 0;
    double max = 1;
  };

  std::optional<std::string> string(std::string_view name, Length length);
  // Says so when it is absent; the empty string then.
  std::string required_string(std::string_view name, Length length);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<double> number(std::string_view name, Range range);
  std::optional<bool> boolean(std::string_view name);
  // A string, or an array of at most `most` strings.
  std::vector<std::string> strings(std::string_view name, std::size_t most, Length length);
  bool has_object(std::string_view name);

  // The field as it stands when it is a string of at most `most` bytes: for error frames, no
  // complaint.
  std::optional<std::string> peek(std::string_view name, std::size_t most = 512) const;

  void fail(std::string_view name, std::string message);
  // No complaint so far.
  bool is_well() const { return errors_.empty(); }
  // `code` with every complaint in `fields` and joined in `message`; nullopt when there is none.
  std::optional<Error> error(ErrorCode code) const;

 private:
  const boost::json::value* find(std::string_view name) const;
  std::optional<std::string> checked(std::string_view name, const boost::json::value& value,
                                     Length length);

  const boost::json::object& object_;
  std::vector<FieldError> errors_;
};

}  // namespace tars::api
