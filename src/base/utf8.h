// UTF-8 as RFC 3629 defines it: no surrogates, no overlong forms, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tars {

// Whether a byte is inside a character, not its first one.
constexpr bool continues_utf8_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

bool is_valid_utf8(std::string_view text);

// Code points in valid UTF-8; nullopt when the text is not valid.
std::optional<std::size_t> count_code_points(std::string_view text);

// The length of the longest prefix that ends on a whole character. Bytes that can never become a
// character count as whole (the caller replaces them), so a bad byte cannot hold text back for
// ever.
std::size_t complete_utf8_prefix(std::string_view text);

// Every maximal ill-formed subsequence becomes U+FFFD (Unicode 15, section 3.9).
std::string replace_invalid_utf8(std::string_view text);

// Characters that would forge a line or move a terminal's cursor: C0, DEL, C1, the separators of
// lines and paragraphs, and what turns the direction of writing (Unicode's Bidi_Control, but the
// marks). In valid UTF-8.
bool has_control_characters(std::string_view text);
// The same text with a blank for each of them.
std::string replace_control_characters(std::string_view text);

}  // namespace tars
