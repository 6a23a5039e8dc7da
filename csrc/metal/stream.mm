#include <mutex>
#include <vector>

#include "metal/kernel.hpp"

namespace mpskit::metal {
namespace {

// Bytes that a work touched, and through which buffer. Metal orders uses of one buffer; two buffers over the same bytes, as calls
// with arrays of others make them, it does not see.
struct Touch {
  const std::byte *begin, *end;
  id<MTLBuffer> buffer;  // for its identity alone
  bool is_written;
  std::uint64_t job = 0, value = 0;  // which one, and the event's value at its end
  bool conflicts(const Touch& o) const { return buffer != o.buffer && (is_written || o.is_written) && begin < o.end && o.begin < end; }
};

std::string failure_of(id<MTLCommandBuffer> commands, const std::string& device, const std::string& label) {
  if ([commands status] == MTLCommandBufferStatusCompleted) return {};
  NSError* error = [commands error];
  return cat(label, ": ", device, " failed: ", error ? to_std([error localizedDescription]) : std::string("no reason given"), " (",
             error ? to_std([error domain]) : std::string("no domain"), " ", static_cast<std::int64_t>([error code]), ")");
}

}  // namespace

struct Stream::Impl {
  Impl(std::shared_ptr<const Context> c, std::uint64_t number) : context(std::move(c)), sheets(*context) {
    queue = adopt([context->device() newCommandQueue]);
    event = adopt([context->device() newEvent]);
    if (!queue || !event) throw DeviceError(cat(context->info().name, " made no command queue."));
    queue.get().label = to_ns(number == 0 ? std::string("mpskit") : cat("mpskit ", number));
  }

  // Orders this work behind others that touch its bytes through another buffer.
  void order(id<MTLCommandBuffer> commands, const Work& work, std::vector<Touch>& now) {
    std::uint64_t wait_for = 0;
    bool is_here = false;
    const std::size_t before = now.size();
    for (std::size_t i = 0; i < work.operands.size(); ++i) {
      const Operand& o = work.operands[i];
      if (o.temporary || o.layout.is_empty()) continue;
      const Touch t{o.data(), o.data() + o.layout.span_bytes(), context->view(*o.storage).buffer.get(), i >= work.inputs};
      for (const Touch& earlier : touches)
        if (t.conflicts(earlier)) wait_for = std::max(wait_for, earlier.value);
      for (std::size_t e = 0; e < before; ++e) is_here = is_here || t.conflicts(now[e]);
      now.push_back(t);
    }
    if (is_here) [commands encodeSignalEvent:event.get() value:++value];
    if (is_here || wait_for) [commands encodeWaitForEvent:event.get() value:is_here ? value : wait_for];
  }

  void encode(const std::shared_ptr<Job>& job, const std::shared_ptr<Progress>& progress) {
    const Submission& s = job->submission;
    std::erase_if(touches, [done = progress->ended()](const Touch& t) { return t.job <= done; });
    auto commands = hold([queue.get() commandBuffer]);
    if (!commands) throw DeviceError(cat(context->info().name, " made no command buffer."));
    const std::string label = !s.label.empty() ? s.label : s.works.empty() ? std::string("mpskit") : std::string(s.works[0].kernel->type().info.name);
    commands.get().label = to_ns(label);

    Encoder encoder(*context, sheets, commands.get(), s);
    if (encoder.temporary_bytes() > 0) encoder.set_temporary_memory(temporary_memory(encoder.temporary_bytes()));
    std::vector<Touch> now;
    for (std::size_t w = 0; w < s.works.size(); ++w) {
      const Work& work = s.works[w];
      order(commands.get(), work, now);
      [commands.get() pushDebugGroup:to_ns(work.kernel->type().info.name)];
      auto& plan = static_cast<MetalPlan&>(*work.plan);
      {
        std::lock_guard lock(plan.mutex());
        plan.encode(encoder, work.operands);
      }
      encoder.finish_work(w);
      [commands.get() popDebugGroup];
    }
    [commands.get() encodeSignalEvent:event.get() value:++value];
    job->kept = encoder.kept();
    job->progress = progress;
    const std::uint64_t number = progress->begin();
    for (Touch t : now) {
      t.job = number;
      t.value = value;
      touches.push_back(t);
    }

    const std::shared_ptr<Job> running = job;
    const std::string device = context->info().name;
    [commands.get() addCompletedHandler:^(id<MTLCommandBuffer> done) {
      AutoreleasePool pool;
      running->finish(failure_of(done, device, label), [done GPUEndTime] - [done GPUStartTime]);
    }];
    [commands.get() commit];
  }

  // One block for all: command buffers of a queue use it in order.
  retained<id<MTLBuffer>> temporary_memory(std::size_t bytes) {
    if (!block || [block.get() length] < bytes) {
      block = {};
      block = adopt([context->device() newBufferWithLength:bytes options:MTLResourceStorageModePrivate | MTLResourceHazardTrackingModeTracked]);
      if (!block)
        throw DeviceError(cat(context->info().name, " has no ", bytes, " bytes for the temporaries of a command buffer. Free arrays, or commit earlier."));
      block.get().label = @"mpskit temporaries";
    }
    return block;
  }

  std::shared_ptr<const Context> context;
  std::mutex mutex;  // who encodes
  retained<id<MTLCommandQueue>> queue;
  retained<id<MTLEvent>> event;  // at the end of every command buffer it has a higher value
  std::uint64_t value = 0;
  SheetPool sheets;
  retained<id<MTLBuffer>> block;
  std::vector<Touch> touches;    // of jobs under way
};

Stream::Stream(std::shared_ptr<const Context> context, std::uint64_t number)
    : impl_(guard([&] { return std::make_unique<Impl>(std::move(context), number); })) {}
Stream::~Stream() = default;

void Stream::run(const std::shared_ptr<Job>& job) {
  std::lock_guard lock(impl_->mutex);
  guard([&] { impl_->encode(job, progress_); });
}

}  // namespace mpskit::metal
