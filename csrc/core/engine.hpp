#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/completion.hpp"
#include "core/kernel.hpp"
#include "core/layout.hpp"
#include "core/storage.hpp"

// The seam between what is portable and what is an engine. Everything above it (shapes, dtypes, ranges, messages, plans of
// memory) is decided without a device; an engine makes plans for kernels and runs them in order.
namespace mpskit {

// A scratch image, matrix or vector of one command buffer. It has no address: an engine places it when the work is
// submitted, knowing every reader.
struct Temporary {
  std::uint64_t command_buffer;  // identity of its owner
  std::size_t index;             // in Submission::temporaries
  Layout layout;
};

struct Operand {
  Layout layout;
  std::shared_ptr<Storage> storage;              // null for a temporary
  std::int64_t offset = 0;                       // of the first element, bytes into storage
  std::shared_ptr<const Temporary> temporary;    // null for stored data
  std::byte* data() const { return storage->data() + offset; }
};

// A kernel with the layouts that it is about to meet, inputs first.
struct Call {
  const Kernel& kernel;
  std::span<const Layout> inputs;
  std::span<const Layout> outputs;
};

// What an engine prepared once for a kernel and its layouts; reused for every call with the same.
class Plan {
 public:
  virtual ~Plan() = default;
};

struct Work {
  std::shared_ptr<const Kernel> kernel;
  std::shared_ptr<Plan> plan;
  std::vector<Operand> operands;  // inputs first
  std::size_t inputs = 0;
};

struct Submission {
  std::vector<Work> works;
  std::vector<std::shared_ptr<const Temporary>> temporaries;
  std::shared_ptr<Completion> completion;
  std::string label;
  bool caller_waits = false;  // the caller will wait at once: the engine may use its thread
  std::uint64_t queue = 0;    // work of one queue runs in order; 0 is the queue that everybody shares
};

struct DeviceInfo {
  std::string name;                // "AMD EPYC, avx512, 2 threads" or "Apple M2"
  std::uint64_t memory_bytes = 0;  // what the device can comfortably use
  std::uint64_t max_buffer_bytes = 0;
  bool has_unified_memory = true;
  bool is_low_power = false;
  std::vector<std::string> features;  // ISA names; GPU families
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string_view name() const = 0;  // "cpu", "metal", "metal:1"
  virtual DeviceInfo info() const = 0;
  // Nothing when the engine can run this call, else why not in words, ending in what would help.
  virtual std::optional<std::string> refuses(const Call& call) const = 0;
  virtual std::shared_ptr<Plan> prepare(const Call& call) = 0;
  // Bytes that this engine and the CPU share without a copy.
  virtual std::shared_ptr<Storage> allocate(std::size_t bytes, bool zeroed) { return Storage::allocate(bytes, zeroed); }
  // Nothing when the engine can use these bytes in place, else the reason for a copy.
  virtual std::optional<std::string> cannot_share(const void* data, std::size_t bytes, bool writable) const = 0;
  // Runs the works in order, after everything submitted before. Never throws for a failure of the device: the completion
  // carries it and the next submission runs.
  virtual void submit(Submission submission) = 0;
  virtual void drain() = 0;  // waits for everything submitted
  // How other frameworks know this device (DLPack's numbers: 1 is a CPU, 8 is Metal), and what they take for stored bytes:
  // an address, or the device's own handle of the buffer that begins there.
  virtual std::int32_t dlpack_device_type() const { return 1; }
  virtual std::int32_t dlpack_device_id() const { return 0; }
  virtual void* dlpack_data(Storage& storage) { return storage.data(); }
};

// The engines of this process, in order of preference; the first is the default device. An engine's library adds a
// factory when it is linked in; core names none of them.
class Engines {
 public:
  using Factory = std::vector<std::shared_ptr<Engine>> (*)();  // no device: none
  static void add(int preference, Factory factory);            // higher goes first
  static const std::vector<std::shared_ptr<Engine>>& all();
  static std::shared_ptr<Engine> find(std::string_view name);  // ValueError names the devices there are
  // The default device: the environment's MPSKIT_DEVICE, else the first. ValueError when there is no such device.
  static const std::shared_ptr<Engine>& standard();
  static void drain();  // waits for everything submitted anywhere; makes no engine
};

// The queue that this thread submits to: 0, which everybody shares, unless a scope gives it one of its own. A thread that
// works through independent items (a pipeline's worker) takes one, so that its items do not wait for those of others.
std::uint64_t current_queue();
class QueueScope {
 public:
  QueueScope();
  ~QueueScope();  // on the same thread; work already submitted still runs
  QueueScope(const QueueScope&) = delete;
  QueueScope& operator=(const QueueScope&) = delete;

 private:
  std::uint64_t previous_;
};

}  // namespace mpskit
