// JSON text, written field by field with no document in between.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace tars::api {

// Appends to a string that it does not own. The caller opens and closes in order; commas are put
// here. Names are the program's own and need no escaping; strings must be valid UTF-8 (what came in
// as JSON was checked; the rest the caller repairs).
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object();
  JsonWriter& begin_object(std::string_view key);
  JsonWriter& end_object();
  JsonWriter& begin_array(std::string_view key);
  JsonWriter& end_array();

  JsonWriter& field(std::string_view key, std::string_view value);
  JsonWriter& field(std::string_view key, const char* value) {
    return field(key, std::string_view(value));
  }
  JsonWriter& field(std::string_view key, const std::string& value) {
    return field(key, std::string_view(value));
  }
  JsonWriter& field(std::string_view key, std::nullptr_t);
  JsonWriter& field(std::string_view key, bool value);
  // Rounded to three decimals; what is no number becomes 0.
  JsonWriter& field(std::string_view key, double value);
  template <std::integral Int>
    requires(!std::same_as<Int, bool>)
  JsonWriter& field(std::string_view key, Int value) {
    return number(key, std::to_string(value));
  }

  // In an array.
  JsonWriter& item(std::string_view value);

  // The values alone, for who writes the rest around them.
  static void append_string(std::string& out, std::string_view text);
  static void append_number(std::string& out, std::size_t number);

 private:
  void comma();
  void key(std::string_view key);
  JsonWriter& number(std::string_view key, std::string_view digits);

  std::string& out_;
  bool comma_ = false;  // a value came before, on this level
};

}  // namespace tars::api
