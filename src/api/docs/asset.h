// Files that are linked into the program: what the pages about the API are made of.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tars::api {

// Bytes between two symbols of the assembly that tools/pack_pages makes.
struct Packed {
  const char* begin;
  const char* end;
  std::string_view bytes() const { return {begin, static_cast<std::size_t>(end - begin)}; }
};

// One file, constant for the life of the program. Any thread.
struct Asset {
  std::string_view name;  // of a shared one with its hash in front: another content, another name
  std::string_view media_type;
  std::string_view hash;  // of the plain bytes, 16 hexadecimal digits
  bool shared;  // served at /assets/NAME; the others are pages and texts to read
  Packed plain;
  Packed gzip;  // the same, compressed at build time
};

// All of them, in a table that tools/pack_pages writes.
std::span<const Asset> assets();

// The asset of that name (as in the table), or null.
const Asset* find_asset(std::string_view name);
// The bytes of one that the program cannot be without; std::logic_error when it was not packed.
const Asset& asset(std::string_view name);

}  // namespace tars::api
