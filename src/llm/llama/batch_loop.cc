#include "llm/llama/batch_loop.h"

#include <algorithm>

#include "base/cpu_time.h"

namespace tars::llm {
namespace {

static_assert(PrefillBudget::kLargestChunk <= LoadedModel::kBatchTokens);

double seconds(SteadyTime::duration d) { return std::chrono::duration<double>(d).count(); }

// A paused answer says at least as much before it is paused again: what computing its tokens anew
// costs is then paid for, and it gets on.
constexpr int kTokensBetweenPauses = 32;

double thread_cpu_ms() {
  return std::chrono::duration<double, std::milli>(thread_cpu_time()).count();
}

Completion completion(const Generation& g, FinishReason reason) {
  return {reason, g.prompt_tokens, static_cast<int>(g.cached)};
}

// What is said at the end of everything: to each its own figures.
Result<Completion> ending(const Generation& g, const Result<Completion>& result) {
  return result ? Result<Completion>(completion(g, result->reason)) : result;
}

}  // namespace

BatchLoop::BatchLoop(LoadedModel& model, std::size_t slots, int threads, const Clock& clock,
                     telemetry::Metrics& metrics, std::function<bool()> closing)
    : model_(model),
      slots_(slots),
      clock_(clock),
      metrics_(metrics),
      closing_(std::move(closing)),
      governor_(model.offload().whole() ? 1 : threads),
      budget_(model.offload().whole() ? PrefillBudget::kSmallestChunkOnGpu
                                      : PrefillBudget::kSmallestChunk) {
  running_.reserve(slots);
}

void BatchLoop::start(std::unique_ptr<Generation> generation) {
  Generation& g = *generation;
  running_.push_back(std::move(generation));  // first: whatever fails below, end_all() finds it
  const auto choice = slots_.take(g.prompt, g.request.cache_key);
  g.slot = choice->slot;
  g.computed = choice->common;
  if (!model_.keep_prefix(g.slot, g.computed)) {
    g.computed = 0;
    slots_[g.slot].tokens.clear();
  }
  if (g.begun == 0) {
    g.begun = ++begun_;
    g.prompt_tokens = static_cast<int>(g.prompt.size());
    g.cached = g.computed;
    g.sink->on_start(g.prompt_tokens, static_cast<int>(g.cached));
  }
}

std::vector<SlotHolder> BatchLoop::holders() const {
  std::vector<SlotHolder> holders;
  holders.reserve(running_.size());
  for (const auto& g : running_) {
    holders.push_back({g->request.client, g->begun, g->generated >= g->keeps_slot_until});
  }
  return holders;
}

std::unique_ptr<Generation> BatchLoop::pause(std::size_t i) {
  const auto at = running_.begin() + static_cast<std::ptrdiff_t>(i);
  // Its last token was said and not computed yet: it stays `next`. Copied before it leaves: where
  // there is no memory for that, end_all() finds it.
  if (!(*at)->prefilling()) (*at)->prompt = slots_[(*at)->slot].tokens;
  std::unique_ptr<Generation> generation = std::move(*at);
  running_.erase(at);
  Generation& g = *generation;
  g.computed = 0;
  g.keeps_slot_until = g.generated + kTokensBetweenPauses;
  slots_.release(g.slot);
  metrics_.pauses.Increment();
  g.sink->on_pause();
  return generation;
}

std::size_t BatchLoop::step() {
  end_stopped();
  std::size_t ended = sweep();
  // Two batches: llama.cpp would split one with unequal shares of its slots all the same, and the
  // answers' tokens go out before the prompt's turn.
  const int decoding = compose_decode();
  if (decoding > 0 && compute()) budget_.record_decode(decoding, batch_ms_);
  const int prompt_tokens = compose_prompts(budget_.chunk(decoding));
  if (prompt_tokens > 0 && compute()) budget_.record_prompt(prompt_tokens, batch_ms_);
  return ended + sweep();
}

// Computes the composed batch and says its tokens. False when it was not computed whole.
bool BatchLoop::compute() {
  switch (decode()) {
    case DecodeOutcome::done:
      commit();
      take_tokens();
      return true;
    case DecodeOutcome::aborted:
      forget_batch();
      end_stopped();
      break;
    case DecodeOutcome::failed:
      forget_batch();
      for (Generation* g : in_batch_) {
        end(*g, g->text.finish(),
            make_error(ErrorCode::generation_error, "the model failed to compute; try again"));
      }
      break;
  }
  return false;
}

void BatchLoop::end_stopped() {
  for (const auto& g : running_) {
    if (g->sink && g->stopped()) end(*g, g->text.finish(), completion(*g, FinishReason::cancelled));
  }
}

int BatchLoop::compose_decode() {
  batch_.clear();
  in_batch_.clear();
  // By slot, because the model computes rising slots together.
  std::vector<Generation*> by_slot;
  by_slot.reserve(running_.size());
  for (const auto& g : running_) by_slot.push_back(g.get());
  std::sort(by_slot.begin(), by_slot.end(), [](auto* a, auto* b) { return a->slot < b->slot; });
  for (Generation* g : by_slot) {
    if (g->prefilling()) continue;
    g->logits_row = batch_.size();
    g->batch_tokens = 1;
    batch_.push_back({g->next, static_cast<int>(slots_[g->slot].tokens.size()),
                      static_cast<int>(g->slot), true});
    in_batch_.push_back(g);
  }
  return static_cast<int>(batch_.size());
}

// The oldest waiting prompt gets half, so that it always gets on; the rest goes to the shortest
// first, so that a short question does not wait for a long document.
int BatchLoop::compose_prompts(int budget) {
  batch_.clear();
  in_batch_.clear();
  std::vector<Generation*> waiting;
  for (const auto& g : running_) {
    if (g->sink && g->prefilling()) waiting.push_back(g.get());
  }
  if (waiting.empty()) return 0;
  Generation* const oldest = waiting.front();
  const auto left = [](const Generation* g) {
    return static_cast<int>(g->prompt.size() - g->computed);
  };
  std::vector<std::pair<Generation*, int>> shares;
  int oldest_share = std::min(left(oldest), waiting.size() == 1 ? budget : (budget + 1) / 2);
  int rest = budget - oldest_share;
  std::stable_sort(waiting.begin(), waiting.end(),
                   [&](auto* a, auto* b) { return left(a) < left(b); });
  for (Generation* g : waiting) {
    if (g == oldest) continue;
    const int share = std::min(left(g), rest);
    rest -= share;
    if (share > 0) shares.emplace_back(g, share);
  }
  oldest_share += std::min(rest, left(oldest) - oldest_share);
  if (oldest_share > 0) shares.emplace_back(oldest, oldest_share);
  // By slot, as in compose_decode().
  std::ranges::sort(shares, {}, [](const auto& share) { return share.first->slot; });
  for (const auto& [g, share] : shares) add_prompt(*g, share);
  return static_cast<int>(batch_.size());
}

void BatchLoop::add_prompt(Generation& g, int tokens) {
  g.batch_tokens = static_cast<std::size_t>(tokens);
  g.logits_row.reset();
  for (std::size_t i = g.computed; i < g.computed + g.batch_tokens; ++i) {
    // What follows the tokens of a paused answer is known.
    const bool samples = i + 1 == g.prompt.size() && g.generated == 0;
    if (samples) g.logits_row = batch_.size();
    batch_.push_back({g.prompt[i], static_cast<int>(i), static_cast<int>(g.slot), samples});
  }
  in_batch_.push_back(&g);
}

DecodeOutcome BatchLoop::decode() {
  model_.use_threads(governor_.threads());
  const SteadyTime begin = clock_.steady();
  const double cpu_begin = thread_cpu_ms();
  // Only when nobody needs the batch any more: the others' part of it would have to be computed
  // again.
  const DecodeOutcome outcome = model_.decode(batch_, [this] {
    return closing_() ||
           std::all_of(in_batch_.begin(), in_batch_.end(), [](auto* g) { return g->stopped(); });
  });
  if (outcome == DecodeOutcome::done) {
    batch_ms_ = seconds(clock_.steady() - begin) * 1e3;
    const double cpu = thread_cpu_ms() - cpu_begin;
    governor_.record(shapes_.relative(static_cast<int>(batch_.size()), batch_ms_),
                     batch_ms_ / std::max(cpu, 0.01));
  }
  return outcome;
}

// The batch is in the model's memory now.
void BatchLoop::commit() {
  for (const BatchToken& token : batch_) {
    slots_[static_cast<std::size_t>(token.slot)].tokens.push_back(token.token);
  }
  for (Generation* g : in_batch_) {
    if (g->prefilling()) g->computed += g->batch_tokens;
  }
}

void BatchLoop::forget_batch() {
  for (Generation* g : in_batch_) {
    auto& tokens = slots_[g->slot].tokens;
    if (!model_.keep_prefix(g->slot, tokens.size())) tokens.clear();
  }
}

void BatchLoop::take_tokens() {
  for (Generation* g : in_batch_) {
    if (!g->logits_row) continue;
    if (g->stopped()) {
      end(*g, g->text.finish(), completion(*g, FinishReason::cancelled));
    } else {
      take_token(*g);
    }
  }
}

void BatchLoop::take_token(Generation& g) {
  const auto logits = model_.logits(*g.logits_row);
  if (logits.empty()) {
    end(g, g.text.finish(),
        make_error(ErrorCode::generation_error, "the model gave no result; try again"));
    return;
  }
  g.next = g.sampler.sample(logits);
  // Logits that are no numbers have no likeliest.
  if (g.next < 0 || static_cast<std::size_t>(g.next) >= logits.size()) {
    end(g, g.text.finish(),
        make_error(ErrorCode::generation_error, "the model computed no numbers; try again"));
    return;
  }
  if (model_.vocabulary().ends_generation(g.next)) {
    end(g, g.text.finish(true), completion(g, FinishReason::stop));
    return;
  }
  ++g.generated;
  piece_.clear();
  model_.vocabulary().append_piece(g.next, piece_);
  const std::string_view text = g.text.push(piece_, model_.vocabulary().marks_thoughts(g.next));
  // The run's tokens are those of the answer, as where another server's model thinks.
  const bool hidden = g.text.hides() && text.empty();
  if (!hidden) g.sink->on_token(text);
  if (g.text.stopped()) {
    end(g, {}, completion(g, FinishReason::stop));
  } else if (g.generated >= g.max_tokens) {
    end(g, g.text.finish(), completion(g, FinishReason::length));
  } else if (!hidden) {
    g.sink->on_step_end();
  }
}

void BatchLoop::end(Generation& g, std::string_view rest, Result<Completion> result) {
  slots_.release(g.slot);
  finish(g, rest, std::move(result), clock_, metrics_);
}

void BatchLoop::finish(Generation& g, std::string_view rest, Result<Completion> result,
                       const Clock& clock, telemetry::Metrics& metrics) {
  g.on_stop.reset();
  const auto stopped_at = g.stopped_at.load();
  if (stopped_at != 0) {
    const SteadyTime since{SteadyTime::duration(stopped_at)};
    metrics.stop_to_idle.Observe(std::max(0.0, seconds(clock.steady() - since)));
  }
  // Moved out first: a sink may drop the last reference to its owner.
  const std::shared_ptr<Sink> sink = std::move(g.sink);
  g.sink.reset();
  sink->on_done(rest, std::move(result));
}

std::size_t BatchLoop::sweep() {
  return std::erase_if(running_, [](const auto& g) { return !g->sink; });
}

void BatchLoop::end_all(const Result<Completion>& result) {
  sweep();  // those that a step had ended before it failed
  for (const auto& g : running_) end(*g, g->text.finish(), ending(*g, result));
  sweep();
}

void BatchLoop::end_waiting(Generation& g, const Result<Completion>& result, const Clock& clock,
                            telemetry::Metrics& metrics) {
  finish(g, g.text.finish(), ending(g, result), clock, metrics);
}

}  // namespace tars::llm
