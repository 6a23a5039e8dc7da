#include "core/engine.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit {
namespace {

struct Maker {
  int preference;
  Engines::Factory factory;
};
std::vector<Maker>& makers() {  // best first; filled by static constructors, so made on first use
  static std::vector<Maker> list;
  return list;
}
// Never destroyed: a completion handler may still need its engine while the process ends.
std::atomic<bool> are_made{false};
std::vector<std::shared_ptr<Engine>>& made() {
  static auto* engines = [] {
    auto* list = new std::vector<std::shared_ptr<Engine>>;
    are_made = true;
    for (const Maker& m : makers())
      for (auto& engine : m.factory()) list->push_back(std::move(engine));
    return list;
  }();
  return *engines;
}
thread_local std::uint64_t chosen_queue = 0;

// Numbers of queues are small and used again, so that an engine can keep its queues in a list.
struct QueueNumbers {
  std::mutex mutex;
  std::vector<bool> taken{true};  // 0 is the shared queue
};
QueueNumbers& queue_numbers() {
  static auto* numbers = new QueueNumbers;
  return *numbers;
}

}  // namespace

void Engines::add(int preference, Factory factory) {
  const auto place = std::ranges::upper_bound(makers(), preference, std::greater{}, &Maker::preference);
  makers().insert(place, {preference, factory});
}
const std::vector<std::shared_ptr<Engine>>& Engines::all() { return made(); }

std::shared_ptr<Engine> Engines::find(std::string_view name) {
  std::string there;
  for (const auto& engine : all()) {
    if (engine->name() == name) return engine;
    there += cat(there.empty() ? "" : ", ", "'", engine->name(), "'");
  }
  throw ValueError(cat("device: there is no '", name, "'; allowed here: ", there,
                       ". Run `mpskit info` to see what is missing and why."));
}
const std::shared_ptr<Engine>& Engines::standard() {
  static const auto* engine = [] {
    const char* name = std::getenv("MPSKIT_DEVICE");
    return new std::shared_ptr<Engine>(name && *name ? find(name) : all().front());
  }();
  return *engine;
}
void Engines::drain() {
  if (!are_made) return;
  for (const auto& engine : all()) engine->drain();
}

std::uint64_t current_queue() { return chosen_queue; }

QueueScope::QueueScope() : previous_(chosen_queue) {
  QueueNumbers& n = queue_numbers();
  std::lock_guard lock(n.mutex);
  const auto free = std::ranges::find(n.taken, false);
  chosen_queue = static_cast<std::uint64_t>(free - n.taken.begin());
  if (free == n.taken.end()) n.taken.push_back(true);
  else *free = true;
}
QueueScope::~QueueScope() {
  QueueNumbers& n = queue_numbers();
  std::lock_guard lock(n.mutex);
  n.taken[chosen_queue] = false;
  chosen_queue = previous_;
}

}  // namespace mpskit
