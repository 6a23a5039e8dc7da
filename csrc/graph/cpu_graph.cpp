#include <array>
#include <atomic>
#include <cstring>

#include "cpu/kernel.hpp"
#include "graph/cpu_graph.hpp"
#include "graph/graph_kernel.hpp"
#include "graph/program.hpp"

// The network on the CPU engine: its kernels one after the other over one block of memory.
namespace mpskit::graph {
namespace {

std::atomic<bool> poisons{false};

// Channels of one image into some of a wider one, of the same dtype. Rows of pixels are contiguous on both sides; pixels are not.
class CopyPlan final : public cpu::CpuPlan {
 public:
  explicit CopyPlan(std::int64_t channel) : channel_(channel) {}
  void run(std::span<const cpu::View> views) const override {
    const cpu::View &src = views[0], &dst = views[1];
    const auto bytes = static_cast<std::size_t>(src.layout.channels() * src.layout.element_bytes());
    const std::int64_t from = src.layout.stride[2], to = dst.layout.stride[2], begin = channel_ * dst.layout.element_bytes();
    const std::int64_t rows = src.layout.height();
    const std::int64_t grain = std::max<std::int64_t>(1, (std::int64_t{1} << 17) / std::max<std::int64_t>(1, src.layout.row_bytes()));
    cpu::parallel_for(src.layout.images() * rows, grain, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t r = first; r < last; ++r) {
        const std::byte* in = src.row<const std::byte>(r / rows, r % rows);
        std::byte* out = dst.row<std::byte>(r / rows, r % rows) + begin;
        for (std::int64_t x = 0; x < src.layout.width(); ++x) std::memcpy(out + x * to, in + x * from, bytes);
      }
    });
  }

 private:
  std::int64_t channel_;
};

class GraphPlan final : public cpu::CpuPlan {
 public:
  GraphPlan(const Kernel& kernel, const Call& call) {
    Program program = compile(static_cast<const GraphKernel&>(kernel).network(), call.inputs, call.outputs);
    places_ = std::move(program.places);
    bytes_ = program.memory.bytes;
    Layouts sources;
    for (const Step& s : program.steps) {
      sources.clear();
      for (const std::size_t p : s.sources) sources.push_back(places_[p].layout);
      const Layout& result = places_[s.result].layout;
      Prepared& prepared = steps_.emplace_back();
      // The data sources of a convolution are loaded and purged in here: one at a time.
      if (s.kernel) prepared.plan = cpu::make_plan(Call{*s.kernel, sources, {&result, 1}});
      else prepared.plan = std::make_unique<CopyPlan>(s.channel);
      prepared.places = s.sources;
      prepared.places.push_back(s.result);
      most_ = std::max(most_, prepared.places.size());
    }
  }

  void run(std::span<const cpu::View> operands) const override {
    const cpu::Scratch block(bytes_);
    std::byte* base = block.as<std::byte>();
    if (poisons) std::memset(base, 0xff, bytes_);
    std::array<cpu::View, 8> few;
    std::vector<cpu::View> many(most_ > few.size() ? most_ : 0);
    cpu::View* views = many.empty() ? few.data() : many.data();
    for (std::size_t t = 0; t < steps_.size(); ++t) {
      const Prepared& step = steps_[t];
      for (std::size_t i = 0; i < step.places.size(); ++i) {
        const Place& p = places_[step.places[i]];
        views[i] = {p.operand ? operands[*p.operand].data : base + p.offset, p.layout};
      }
      step.plan->run({views, step.places.size()});
      if (poisons) poison_dead(base, t);
    }
  }

 private:
  struct Prepared {
    std::unique_ptr<cpu::CpuPlan> plan;
    std::vector<std::size_t> places;  // sources, then the result
  };
  void poison_dead(std::byte* base, std::size_t step) const {
    for (const Place& p : places_)
      if (!p.operand && p.life.bytes > 0 && p.life.last == step) std::memset(base + p.offset, 0xff, p.life.bytes);
  }

  std::vector<Place> places_;
  std::vector<Prepared> steps_;
  std::size_t bytes_ = 0, most_ = 0;
};

[[maybe_unused]] const bool registered = [] {
  for (std::size_t isa = 0; isa < cpu::isa_count; ++isa)
    cpu::register_maker(GraphKernel::shared_type(), static_cast<cpu::Isa>(isa),
                        [](const Kernel& kernel, const Call& call) -> std::unique_ptr<cpu::CpuPlan> { return std::make_unique<GraphPlan>(kernel, call); });
  return true;
}();

}  // namespace

void poison_memory(bool on) { poisons = on; }

}  // namespace mpskit::graph
