#include "llm/remote/host_set.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>
#include <utility>

namespace tars::llm {
namespace {

constexpr std::chrono::seconds kFirstRest{1};
constexpr int kMostDoublings = 6;
constexpr std::chrono::seconds kLongestRest = kFirstRest * (1 << kMostDoublings);
constexpr std::size_t kMaxForms = 64;

}  // namespace

bool is_named(std::string_view listed, std::string_view asked) {
  constexpr std::string_view kUsualTag = ":latest";
  if (listed == asked) return true;
  return listed.size() == asked.size() + kUsualTag.size() && listed.starts_with(asked) &&
         listed.ends_with(kUsualTag);
}

bool is_among(const std::vector<std::string>& listed, std::string_view asked) {
  return std::ranges::any_of(listed,
                             [&](const std::string& name) { return is_named(name, asked); });
}

void add_new(std::vector<std::string>& names, const std::vector<std::string>& more) {
  if (names.empty()) names = more;
  if (names == more) return;  // as a rule: they serve the same
  names.reserve(names.size() + more.size());  // so that the views stay
  std::unordered_set<std::string_view> known(names.begin(), names.end());
  for (const std::string& name : more) {
    if (!known.contains(name)) known.insert(names.emplace_back(name));
  }
}

HostSet::HostSet(std::vector<net::Endpoint> hosts) : heard_at_(hosts.size()) {
  hosts_.reserve(hosts.size());
  for (net::Endpoint& endpoint : hosts) hosts_.push_back(Host{.endpoint = std::move(endpoint)});
}

std::optional<std::size_t> HostSet::acquire(const std::vector<std::size_t>& tried,
                                            std::string_view model, SteadyTime now) {
  std::lock_guard lock(mutex_);
  std::optional<std::size_t> best;
  const auto rank = [&](std::size_t i) {
    const Host& h = hosts_[i];
    // What is not known yet may be a name that hangs: after what works, however busy that is.
    const bool is_new = h.state != State::working;
    return std::tuple(lacks(h, model), h.state == State::failed, rests(h, now), is_new, h.busy);
  };
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (std::find(tried.begin(), tried.end(), i) != tried.end()) continue;
    if (!best || rank(i) < rank(*best)) best = i;
  }
  if (best) ++hosts_[*best].busy;
  return best;
}

bool HostSet::lacks(const Host& host, std::string_view model) {
  return !host.models.empty() && !is_among(host.models, model);
}

bool HostSet::rests(const Host& host, SteadyTime now) {
  return host.silent || host.rests_until > now;
}

void HostSet::release(std::size_t host) {
  std::lock_guard lock(mutex_);
  --hosts_.at(host).busy;
}

bool HostSet::set_working(std::size_t host, std::optional<std::vector<std::string>> models,
                          SteadyTime now) {
  std::lock_guard lock(mutex_);
  Host& h = hosts_.at(host);
  if (models) h.models = *std::move(models);
  h.silent = false;
  h.checked_at = now;
  return std::exchange(h.state, State::working) != State::working;
}

void HostSet::heard(std::size_t host, SteadyTime now) {
  heard_at_.at(host).store(now, std::memory_order_relaxed);
}

SteadyTime HostSet::heard_at(std::size_t host) const {
  return heard_at_.at(host).load(std::memory_order_relaxed);
}

void HostSet::answer_given(std::size_t host) {
  std::lock_guard lock(mutex_);
  Host& h = hosts_.at(host);
  h.state = State::working;
  h.silent = false;
  h.answered = true;
  h.failures = 0;
  h.rests_until = {};
}

void HostSet::answer_failed(std::size_t host, SteadyTime now, std::chrono::seconds asked) {
  std::lock_guard lock(mutex_);
  Host& h = hosts_.at(host);
  const auto rest = std::max(kFirstRest * (1 << std::min(h.failures, kMostDoublings)),
                             std::min(asked, kLongestRest));
  // Another answer's failure does not take back what the host asked for.
  h.rests_until = std::max(h.rests_until, now + rest);
  ++h.failures;
  h.answered = false;
}

bool HostSet::answered_well(std::size_t host) const {
  std::lock_guard lock(mutex_);
  return hosts_.at(host).answered;
}

bool HostSet::set_failed(std::size_t host, std::string why, SteadyTime now) {
  std::lock_guard lock(mutex_);
  Host& h = hosts_.at(host);
  h.why = std::move(why);
  h.silent = false;
  h.checked_at = now;
  return std::exchange(h.state, State::failed) != State::failed;
}

void HostSet::suspect(std::size_t host) {
  std::lock_guard lock(mutex_);
  hosts_.at(host).checked_at = {};
}

bool HostSet::is_failed(std::size_t host) const {
  std::lock_guard lock(mutex_);
  return hosts_.at(host).state == State::failed;
}

bool HostSet::set_silent(std::size_t host) {
  std::lock_guard lock(mutex_);
  Host& h = hosts_.at(host);
  if (h.busy == 0 || h.state != State::working) return false;
  h.silent = true;
  return true;
}

void HostSet::end_silence(std::size_t host) {
  std::lock_guard lock(mutex_);
  hosts_.at(host).silent = false;
}

bool HostSet::is_busy(std::size_t host) const {
  std::lock_guard lock(mutex_);
  return hosts_.at(host).busy > 0;
}

bool HostSet::another_can(const std::vector<std::size_t>& but, std::string_view model,
                          SteadyTime now) const {
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const Host& h = hosts_[i];
    const bool counts = std::ranges::find(but, i) == but.end();
    if (counts && h.state == State::working && !rests(h, now) && !lacks(h, model)) return true;
  }
  return false;
}

SteadyTime HostSet::checked_at(std::size_t host) const {
  std::lock_guard lock(mutex_);
  return hosts_.at(host).checked_at;
}

Health HostSet::health() const {
  std::lock_guard lock(mutex_);
  const auto any = [this](State state) {
    return std::any_of(hosts_.begin(), hosts_.end(),
                       [state](const Host& h) { return h.state == state; });
  };
  if (any(State::working)) return Health::healthy;
  return any(State::failed) ? Health::unhealthy : Health::starting;
}

std::string HostSet::trouble() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (const Host& h : hosts_) {
    if (h.state != State::failed && !h.silent) continue;
    if (!out.empty()) out += "; ";
    out += h.silent ? h.endpoint.url() + " does not answer the check while it works" : h.why;
  }
  return out;
}

std::vector<std::string> HostSet::models() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const Host& h : hosts_) {
    if (h.state == State::working) add_new(out, h.models);
  }
  if (!out.empty()) return out;
  for (const Host& h : hosts_) add_new(out, h.models);
  return out;
}

bool HostSet::has(std::size_t host, std::string_view model) const {
  std::lock_guard lock(mutex_);
  return is_among(hosts_.at(host).models, model);
}

std::vector<std::size_t> HostSet::busy() const {
  std::lock_guard lock(mutex_);
  std::vector<std::size_t> out;
  out.reserve(hosts_.size());
  for (const Host& h : hosts_) out.push_back(h.busy);
  return out;
}

std::string HostSet::name_for(std::size_t host) const {
  std::lock_guard lock(mutex_);
  return hosts_.at(host).name;
}

void HostSet::set_name(std::size_t host, std::string name) {
  std::lock_guard lock(mutex_);
  hosts_.at(host).name = std::move(name);
}

RequestForm HostSet::form(std::size_t host, const std::string& model) const {
  std::lock_guard lock(mutex_);
  const auto& forms = hosts_.at(host).forms;
  const auto found = forms.find(model);
  return found == forms.end() ? RequestForm{} : found->second;
}

void HostSet::set_form(std::size_t host, const std::string& model, const RequestForm& form) {
  std::lock_guard lock(mutex_);
  auto& forms = hosts_.at(host).forms;
  if (forms.size() >= kMaxForms && !forms.contains(model)) forms.clear();
  forms[model] = form;
}

}  // namespace tars::llm
