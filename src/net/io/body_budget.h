// How much all connections together may hold of requests that are still being received or answered.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace tars::net {

// Counts the bytes of request bodies in memory, on all threads. Thread-safe.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t limit) : limit_(limit) {}
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;

  // Room for a few of the largest bodies, and for many of the usual ones.
  static std::size_t limit_for(std::size_t max_body_bytes) {
    return std::max<std::size_t>(64 * 1024 * 1024, 4 * max_body_bytes);
  }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

  // What one request takes, given back at its end. Not thread-safe itself.
  class Share {
   public:
    explicit Share(BodyBudget& budget) : budget_(budget) {}
    ~Share() { release(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Grows to `bytes`. False, and nothing changed, where that is past the limit of all.
    bool cover(std::size_t bytes) {
      if (bytes <= held_) return true;
      const std::size_t more = bytes - held_;
      if (budget_.used_.fetch_add(more, std::memory_order_relaxed) + more > budget_.limit_) {
        budget_.used_.fetch_sub(more, std::memory_order_relaxed);
        return false;
      }
      held_ = bytes;
      return true;
    }
    void release() {
      if (held_ > 0) budget_.used_.fetch_sub(held_, std::memory_order_relaxed);
      held_ = 0;
    }

   private:
    BodyBudget& budget_;
    std::size_t held_ = 0;
  };

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace tars::net
