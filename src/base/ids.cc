#include "base/ids.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <stdexcept>

#include "base/sha256.h"

namespace tars {
namespace {

constexpr std::size_t kIdCharacters = 26;

void fill_random(std::span<unsigned char> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    throw std::runtime_error("the system's random generator failed");
  }
}

// Sixteen bytes that were not given out before, good until the next call in this thread. A call of
// the generator takes a microsecond, so one serves many ids.
std::span<const unsigned char, 16> next_random() {
  static thread_local std::array<unsigned char, 512> pool;
  static thread_local std::size_t used = pool.size();
  if (used == pool.size()) {
    fill_random(pool);
    used = 0;
  }
  const std::span<const unsigned char, 16> out(pool.data() + used, 16);
  used += out.size();
  return out;
}

}  // namespace

std::string make_id(std::string_view prefix) {
  static constexpr char kBase32[] = "0123456789abcdefghjkmnpqrstvwxyz";
  using namespace std::chrono;
  auto ms = static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
  const std::span<const unsigned char, 16> random = next_random();
  std::string out(prefix);
  out += '_';
  const std::size_t start = out.size();
  out.resize(start + kIdCharacters);
  for (std::size_t i = 10; i-- > 0; ms >>= 5) out[start + i] = kBase32[ms & 31];
  for (std::size_t i = 0; i < 16; ++i) out[start + 10 + i] = kBase32[random[i] & 31];
  return out;
}

bool is_id(std::string_view text, std::string_view prefix) {
  if (text.size() != prefix.size() + 1 + kIdCharacters || !text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return text.front() == '_' && std::ranges::all_of(text.substr(1), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
         });
}

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  const std::span<unsigned char> view(reinterpret_cast<unsigned char*>(raw.data()), raw.size());
  fill_random(view);
  return to_hex(view);
}

}  // namespace tars
