#include "chat/token_log.h"

#include <algorithm>

namespace tars::chat {
namespace {

constexpr std::size_t kBlockBytes = 16 * 1024;
constexpr std::size_t kBlockTokens = 4096;

}  // namespace

void TokenLog::append(std::string_view text) {
  if (blocks_.empty() || blocks_.back().ends.size() == kBlockTokens ||
      blocks_.back().text.size() + text.size() > kBlockBytes) {
    const bool long_answer = !blocks_.empty();
    shrink();
    blocks_.push_back({.first = tokens_, .text = {}, .ends = {}});
    if (long_answer) blocks_.back().text.reserve(kBlockBytes);
  }
  Block& block = blocks_.back();
  block.text += text;
  block.ends.push_back(static_cast<std::uint32_t>(block.text.size()));
  ++tokens_;
}

void TokenLog::extend_last(std::string_view text) {
  Block& block = blocks_.back();
  block.text += text;
  block.ends.back() = static_cast<std::uint32_t>(block.text.size());
}

void TokenLog::shrink() {
  if (blocks_.empty()) return;
  blocks_.back().text.shrink_to_fit();
  blocks_.back().ends.shrink_to_fit();
}

bool TokenLog::last_is_empty() const {
  if (blocks_.empty()) return false;
  const Block& block = blocks_.back();
  return block.begin_of(block.ends.size() - 1) == block.ends.back();
}

std::size_t TokenLog::memory() const {
  std::size_t bytes = blocks_.capacity() * sizeof(Block);
  for (const Block& block : blocks_) {
    bytes += block.text.capacity() + block.ends.capacity() * sizeof(block.ends[0]);
  }
  return bytes;
}

std::vector<TokenLog::Block>::const_iterator TokenLog::block_of(std::size_t token) const {
  const auto after = std::ranges::upper_bound(blocks_, token, {}, &Block::first);
  return after - 1;
}

Slice TokenLog::read(std::size_t offset, std::size_t max_bytes, bool to_the_end) const {
  Slice slice{.text = {}, .first = offset, .count = 0};
  if (offset >= tokens_) return slice;
  std::size_t seen = 0;  // tokens from `offset`
  for (auto block = block_of(offset); block != blocks_.end(); ++block) {
    const std::size_t from = offset + seen - block->first;
    const std::size_t begin = block->begin_of(from);
    std::size_t end = begin;
    for (std::size_t i = from; i < block->ends.size(); ++i) {
      ++seen;
      if (block->ends[i] == end) continue;  // an empty token
      const bool fits = slice.text.size() + (block->ends[i] - begin) <= max_bytes;
      if (!fits && slice.count > 0) {
        slice.text.append(block->text, begin, end - begin);
        return slice;
      }
      end = block->ends[i];
      slice.count = seen;
    }
    slice.text.append(block->text, begin, end - begin);
  }
  if (to_the_end) slice.count = seen;
  return slice;
}

std::vector<std::uint32_t> TokenLog::lengths(std::size_t first, std::size_t count) const {
  std::vector<std::uint32_t> lengths;
  if (first >= tokens_) return lengths;
  count = std::min(count, tokens_ - first);
  lengths.reserve(count);
  for (auto block = block_of(first); lengths.size() < count; ++block) {
    for (std::size_t i = first + lengths.size() - block->first;
         i < block->ends.size() && lengths.size() < count; ++i) {
      lengths.push_back(static_cast<std::uint32_t>(block->ends[i] - block->begin_of(i)));
    }
  }
  return lengths;
}

std::string TokenLog::text() const {
  std::size_t size = 0;
  for (const Block& block : blocks_) size += block.text.size();
  std::string text;
  text.reserve(size);
  for (const Block& block : blocks_) text += block.text;
  return text;
}

}  // namespace tars::chat
