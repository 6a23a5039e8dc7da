#include "core/dispatch.hpp"

#include <algorithm>
#include <cstdint>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit {
namespace {

std::atomic<std::uint64_t> epoch{0};
std::atomic<std::uint64_t> next_command_buffer{1};
constexpr std::size_t plans_kept = 16;  // a pipeline meets a handful of shapes per kernel; the oldest makes room

bool equal(std::span<const Layout> a, std::span<const Layout> b) { return std::ranges::equal(a, b); }

// Operands of one call are few, so the stack holds their layouts: the hot path allocates nothing for its look-up.
class LayoutList {
 public:
  explicit LayoutList(std::span<const Operand> operands) : count_(operands.size()) {
    if (count_ > few_.size()) many_.resize(count_);
    Layout* out = count_ > few_.size() ? many_.data() : few_.data();
    for (std::size_t i = 0; i < count_; ++i) out[i] = operands[i].layout;
  }
  operator std::span<const Layout>() const { return {count_ > few_.size() ? many_.data() : few_.data(), count_}; }

 private:
  std::size_t count_;
  std::array<Layout, 4> few_;
  Layouts many_;
};

bool overlap(const Operand& a, const Operand& b) {
  if (a.temporary || b.temporary) return a.temporary && a.temporary == b.temporary;
  if (a.layout.is_empty() || b.layout.is_empty()) return false;
  const std::byte* a0 = a.data();
  const std::byte* b0 = b.data();
  return a0 < b0 + b.layout.span_bytes() && b0 < a0 + a.layout.span_bytes();
}

bool is_same(const Operand& a, const Operand& b) {
  if (a.layout != b.layout) return false;
  return a.temporary ? a.temporary == b.temporary && a.offset == b.offset : b.storage && a.data() == b.data();
}

std::string with_article(Kind kind) { return cat(kind == Kind::image ? "an " : "a ", name_of(kind)); }

// Kernels with a variable number of operands (a sequence of matrices) state one spec per role and repeat it.
const OperandSpec& spec_of(const KernelType& type, Role role, std::size_t index) {
  const OperandSpec* last = nullptr;
  for (const OperandSpec& spec : type.operands) {
    if (spec.role != role) continue;
    last = &spec;
    if (index-- == 0) break;
  }
  return *last;
}

void check_operand(const KernelType& type, const OperandSpec& spec, const Layout& layout) {
  if (layout == Layout{} && spec.count == Count::optional) return;  // left out, before one that is there
  if (layout.kind != spec.kind) {
    throw TypeError(cat(type.info.name, ": ", spec.name, " is ", with_article(layout.kind), "; allowed: ", with_article(spec.kind),
                        ". Pass an array, or mps.", spec.kind == Kind::image    ? "Image"
                                                                        : spec.kind == Kind::matrix ? "Matrix"
                                                                                                    : "Vector",
                        "."));
  }
  if (spec.dtypes.contains(layout.dtype)) return;
  std::string allowed;
  for (std::size_t t = 0; t < dtype_count; ++t) {
    if (!spec.dtypes.contains(static_cast<DType>(t))) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += name_of(static_cast<DType>(t));
  }
  throw TypeError(cat(type.info.name, ": ", spec.name, " is ", name_of(layout.dtype), "; allowed: ", allowed, ". ",
                      spec.role == Role::input ? "Convert it with astype()." : "Pass an out of such a dtype, or another dtype."));
}

}  // namespace

std::uint64_t plan_epoch() { return epoch.load(std::memory_order_relaxed); }
void advance_plan_epoch() { epoch.fetch_add(1, std::memory_order_relaxed); }

std::shared_ptr<Plan> PlanCache::find(Engine& engine, const Call& call) {
  const std::uint64_t now = plan_epoch();
  {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Entry& e = entries_[i];
      if (e.engine != &engine || e.epoch != now || !equal(e.inputs, call.inputs) || !equal(e.outputs, call.outputs))
        continue;
      if (i > 0) std::rotate(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(i),
                             entries_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      return entries_.front().plan;
    }
  }
  if (const auto reason = engine.refuses(call))
    throw UnsupportedError(cat(call.kernel.type().info.name, ": ", *reason));
  std::shared_ptr<Plan> plan = engine.prepare(call);  // unlocked: it may load weights, compile, call back
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [now](const Entry& e) { return e.epoch != now; });
  if (entries_.size() >= plans_kept) entries_.pop_back();
  entries_.insert(entries_.begin(), {&engine, now, Layouts(call.inputs.begin(), call.inputs.end()),
                                     Layouts(call.outputs.begin(), call.outputs.end()), plan});
  return plan;
}

void check_inputs(const Kernel& kernel, std::span<const Layout> inputs) {
  const KernelType& type = kernel.type();
  for (std::size_t i = 0; i < inputs.size(); ++i) check_operand(type, spec_of(type, Role::input, i), inputs[i]);
}

void PlanCache::renew(const Kernel& kernel) {
  std::vector<Entry> old;
  {
    std::lock_guard lock(mutex_);
    old.swap(entries_);
  }
  for (Entry& e : old) e.plan = nullptr;  // first: old and new weights need not be in memory together
  kernel.forget_parts();
  for (auto e = old.rbegin(); e != old.rend(); ++e) find(*e->engine, Call{kernel, e->inputs, e->outputs});
}

void check_operands(const Kernel& kernel, std::span<const Operand> inputs, std::span<const Operand> outputs) {
  const KernelType& type = kernel.type();
  for (std::size_t i = 0; i < inputs.size(); ++i) check_operand(type, spec_of(type, Role::input, i), inputs[i].layout);
  for (std::size_t i = 0; i < outputs.size(); ++i) check_operand(type, spec_of(type, Role::output, i), outputs[i].layout);

  kernel.check(LayoutList(inputs), LayoutList(outputs));
  for (std::size_t i = 0; i < inputs.size() && i < type.operands.size(); ++i) {
    const Operand& given = inputs[i];
    if (const HostCheck check = type.operands[i].host_check; check && given.storage)
      check(LayoutList(inputs), {reinterpret_cast<const std::int32_t*>(given.data()), static_cast<std::size_t>(given.layout.length())});
  }

  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string_view name = spec_of(type, Role::output, i).name;
    if (outputs[i].storage && !outputs[i].storage->is_writable())
      throw ValueError(cat(type.info.name, ": out is read-only; allowed: writable memory. Pass a writable array as out, or omit it."));
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (overlap(outputs[i], inputs[k]) && !(i == 0 && k == 0 && kernel.works_in_place() && is_same(outputs[i], inputs[k])))
        throw ValueError(cat(type.info.name, ": ", name == "out" ? std::string("out") : cat("out (", name, ")"), " overlaps ", spec_of(type, Role::input, k).name,
                             "; allowed: separate memory. Pass another out, or omit it."));
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (overlap(outputs[i], outputs[k]))
        throw ValueError(cat(type.info.name, ": two outputs overlap; allowed: separate memory. Pass another out."));
    }
  }
}

namespace {

Work prepare_work(Engine& engine, const std::shared_ptr<const Kernel>& kernel, PlanCache& plans,
                  const std::vector<Operand>& inputs, const std::vector<Operand>& outputs) {
  const LayoutList in(inputs), out(outputs);
  return Work{kernel, plans.find(engine, Call{*kernel, in, out}), {}, inputs.size()};
}
void take_operands(Work& work, std::vector<Operand> inputs, std::vector<Operand> outputs) {
  work.operands = std::move(inputs);
  work.operands.insert(work.operands.end(), std::make_move_iterator(outputs.begin()), std::make_move_iterator(outputs.end()));
}

}  // namespace

CommandBuffer::CommandBuffer(std::shared_ptr<Engine> engine, std::string label)
    : engine_(std::move(engine)), identity_(next_command_buffer.fetch_add(1, std::memory_order_relaxed)) {
  submission_.label = std::move(label);
  submission_.queue = current_queue();
}
CommandBuffer::~CommandBuffer() = default;  // never committed: nothing ran, nothing is lost but the recording

void CommandBuffer::require_open_locked(std::string_view what) const {
  if (state_ != State::open)
    throw ValueError(cat("CommandBuffer: ", what, state_ == State::committed ? " after commit" : " after it was discarded",
                         "; allowed: before it, once. Make a new command buffer with device.command_buffer()."));
}

void CommandBuffer::encode(const std::shared_ptr<const Kernel>& kernel, PlanCache& plans, std::vector<Operand> inputs,
                           std::vector<Operand> outputs) {
  require_open("encode");
  for (const auto* list : {&inputs, &outputs}) {
    for (const Operand& operand : *list) {
      if (!operand.temporary || operand.temporary->command_buffer == identity_) continue;
      throw ValueError(cat(kernel->type().info.name, ": the temporary ", operand.layout.describe(),
                           " belongs to another command buffer; allowed: one of this command buffer. A temporary ends "
                           "with its command buffer: encode the reader there, or pass out= an Image."));
    }
  }
  check_operands(*kernel, inputs, outputs);
  Work work = prepare_work(*engine_, kernel, plans, inputs, outputs);

  std::lock_guard lock(mutex_);
  require_open_locked("encode");
  const bool keeps_old = kernel->reads_outputs(LayoutList(outputs));
  auto require_written = [&](const Operand& operand, std::string_view remedy) {
    if (!operand.temporary || written_[operand.temporary->index]) return;
    throw ValueError(cat(kernel->type().info.name, ": the temporary ", operand.layout.describe(),
                         " is read before any work wrote it; allowed: after. ", remedy));
  };
  for (const Operand& operand : inputs) require_written(operand, "Encode the work that writes it first.");
  for (const Operand& operand : outputs)
    if (keeps_old) require_written(operand, "This kernel keeps a part of out: write all of it first, or pass out= an Image.");
  for (const Operand& operand : outputs)
    if (operand.temporary) written_[operand.temporary->index] = true;
  take_operands(work, std::move(inputs), std::move(outputs));
  submission_.works.push_back(std::move(work));
}

Operand CommandBuffer::temporary(const Layout& layout) {
  std::lock_guard lock(mutex_);
  require_open_locked("temporary");
  auto t = std::make_shared<const Temporary>(Temporary{identity_, submission_.temporaries.size(), layout.packed()});
  submission_.temporaries.push_back(t);
  written_.push_back(false);
  return Operand{t->layout, nullptr, 0, t};
}

std::shared_ptr<Completion> CommandBuffer::commit(bool caller_waits) {
  Submission submission;
  {
    std::lock_guard lock(mutex_);
    require_open_locked("commit");
    state_ = State::committed;
    submission = std::exchange(submission_, {});
  }
  auto completion = std::make_shared<Completion>();
  submission.completion = completion;
  submission.caller_waits = caller_waits;
  engine_->submit(std::move(submission));
  return completion;
}

void CommandBuffer::require_open(std::string_view what) {
  std::lock_guard lock(mutex_);
  require_open_locked(what);
}

bool CommandBuffer::is_open() {
  std::lock_guard lock(mutex_);
  return state_ == State::open;
}

void CommandBuffer::discard() {
  Submission dropped;  // ends after the lock: operands may hold objects of others
  std::lock_guard lock(mutex_);
  if (state_ != State::open) return;
  state_ = State::discarded;
  dropped = std::exchange(submission_, {});
}

std::shared_ptr<Completion> submit(Engine& engine, const std::shared_ptr<const Kernel>& kernel, PlanCache& plans,
                                   std::vector<Operand> inputs, std::vector<Operand> outputs, bool caller_waits) {
  for (const auto* list : {&inputs, &outputs})
    for (const Operand& operand : *list)
      if (operand.temporary)
        throw ValueError(cat(kernel->type().info.name, ": the temporary ", operand.layout.describe(),
                             " is used outside its command buffer; allowed: there only. Call encode(command_buffer, ...)."));
  check_operands(*kernel, inputs, outputs);
  Work work = prepare_work(engine, kernel, plans, inputs, outputs);
  take_operands(work, std::move(inputs), std::move(outputs));
  Submission submission;
  submission.works.push_back(std::move(work));
  submission.completion = std::make_shared<Completion>();
  submission.caller_waits = caller_waits;
  submission.queue = current_queue();
  auto completion = submission.completion;
  engine.submit(std::move(submission));
  return completion;
}

}  // namespace mpskit
