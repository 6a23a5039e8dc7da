#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/engine.hpp"

namespace mpskit {

// The plans that one kernel object has met, by engine and layouts. Kernels are values; this is their memory, beside them.
class PlanCache {
 public:
  std::shared_ptr<Plan> find(Engine& engine, const Call& call);  // prepares on the first meeting
  // Prepares all of them anew: what they were made from has changed.
  void renew(const Kernel& kernel);

 private:
  struct Entry {
    Engine* engine;
    std::uint64_t epoch;
    Layouts inputs, outputs;
    std::shared_ptr<Plan> plan;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;  // most recent first, few
};

// Plans made before this changed are made anew: a test forced another ISA, the thread count moved.
std::uint64_t plan_epoch();
void advance_plan_epoch();

// Every check that needs no device: kinds, dtypes, the kernel's own shape rules, output writable, no overlap of an output
// with an input or another output. Throws ValueError or TypeError.
// `check_inputs` is its first part, for who asks the kernel's infer() before there are outputs.
void check_inputs(const Kernel& kernel, std::span<const Layout> inputs);
void check_operands(const Kernel& kernel, std::span<const Operand> inputs, std::span<const Operand> outputs);

// Records work and commits it once; then it only waits. Several threads may encode: each call is recorded whole, in the order
// in which they return.
class CommandBuffer {
 public:
  explicit CommandBuffer(std::shared_ptr<Engine> engine, std::string label = {});
  ~CommandBuffer();
  CommandBuffer(const CommandBuffer&) = delete;
  CommandBuffer& operator=(const CommandBuffer&) = delete;

  const std::shared_ptr<Engine>& engine() const { return engine_; }
  // Checks, prepares and records. Nothing runs before commit. ValueError after the end, when a temporary is another command
  // buffer's, and when one is read that no work has written.
  void encode(const std::shared_ptr<const Kernel>& kernel, PlanCache& plans, std::vector<Operand> inputs,
              std::vector<Operand> outputs);
  Operand temporary(const Layout& layout);  // lives as long as this command buffer
  std::shared_ptr<Completion> commit(bool caller_waits = false);
  void discard();  // ends it with nothing run; after commit it does nothing
  bool is_open();
  void require_open(std::string_view what);  // ValueError after the end: "CommandBuffer: encode after commit"

 private:
  enum class State : std::uint8_t { open, committed, discarded };
  void require_open_locked(std::string_view what) const;

  std::shared_ptr<Engine> engine_;
  std::uint64_t identity_;
  std::mutex mutex_;
  State state_ = State::open;
  Submission submission_;
  std::vector<bool> written_;  // one a temporary
};

// One kernel, submitted on its own.
std::shared_ptr<Completion> submit(Engine& engine, const std::shared_ptr<const Kernel>& kernel, PlanCache& plans,
                                   std::vector<Operand> inputs, std::vector<Operand> outputs, bool caller_waits);

}  // namespace mpskit
