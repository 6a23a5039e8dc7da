#include "support.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "core/memory_plan.hpp"
#include "cpu/kernel.hpp"
#include "graph/cpu_graph.hpp"
#include "graph/graph_kernel.hpp"
#include "graph/program.hpp"
#include "kernels/common/image_kernel.hpp"

using namespace mpskit;

// A kernel that can write into channels of a wider output: out[c] = in[c mod inputs] * scale + c.
namespace mpskit::image {
struct Ramp {
  std::int64_t channels = 4;
  float scale = 1;
  std::int64_t destination_feature_channel_offset = 0;
  bool operator==(const Ramp&) const = default;
  static constexpr KernelInfo info{"Ramp", "", "", ""};
  static constexpr std::tuple fields{};
  static constexpr std::array operands{source_image, destination_image};
  static constexpr std::array tolerances{Tolerance{DType::f32, 0, 0, ""}};
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    return {Layout::image(hints.dtype.value_or(in[0].dtype), in[0].images(), in[0].height(), in[0].width(), destination_feature_channel_offset + channels)};
  }
  void check(std::span<const Layout>, std::span<const Layout>) const {}
  bool reads_outputs(std::span<const Layout> out) const { return out[0].channels() > channels; }
};
}  // namespace mpskit::image
MPSKIT_KERNEL(image, Ramp)
MPSKIT_DEFINE_KERNEL(image, Ramp)

namespace {

using namespace mpskit::graph;
using image::Ramp;

struct RampPlan final : cpu::CpuPlan {
  RampPlan(const Ramp& ramp, const Call&) : k(ramp) {}
  void run(std::span<const cpu::View> v) const override {
    const Layout &in = v[0].layout, &out = v[1].layout;
    for (std::int64_t y = 0; y < in.height(); ++y)
      for (std::int64_t x = 0; x < in.width(); ++x)
        for (std::int64_t c = 0; c < k.channels; ++c)
          v[1].row<float>(0, y)[x * out.channels() + k.destination_feature_channel_offset + c] =
              v[0].row<const float>(0, y)[x * in.channels() + c % in.channels()] * k.scale + static_cast<float>(c);
  }
  Ramp k;
};
const bool registered = [] {
  for (std::size_t isa = 0; isa < cpu::isa_count; ++isa)
    cpu::register_maker(kernel_type<Ramp>(), static_cast<cpu::Isa>(isa), &cpu::make<Ramp, RampPlan>);
  return true;
}();

struct Builder {
  Network n;
  Index image() {
    n.images.push_back({cat("image", n.images.size()), {}});
    return n.images.size() - 1;
  }
  Index input() {
    n.inputs.push_back(image());
    return n.inputs.back();
  }
  Index node(std::shared_ptr<const Kernel> kernel, std::vector<Index> sources) {
    const Index result = image();
    n.nodes.push_back({std::move(kernel), std::move(sources), result, cat("node", n.nodes.size())});
    return result;
  }
  Index ramp(Index source, std::int64_t channels, float scale = 1) {
    return node(std::make_shared<KernelOf<Ramp>>(Ramp{.channels = channels, .scale = scale}), {source});
  }
  Index concatenate(std::vector<Index> sources) { return node(nullptr, std::move(sources)); }
};

constexpr std::int64_t height = 3, width = 5;
Layout picture(std::int64_t channels) { return Layout::image(DType::f32, 1, height, width, channels); }

Program compiled(const Network& n) {
  Layouts in(n.inputs.size(), picture(4)), out;
  const Layouts all = graph::infer(n, in);
  for (const Index o : n.outputs) out.push_back(all[o]);
  return graph::compile(n, in, out);
}
std::size_t copies(const Program& p) {
  return static_cast<std::size_t>(std::ranges::count_if(p.steps, [](const Step& s) { return !s.kernel; }));
}

// Every image of a network, element by element.
std::vector<std::vector<float>> evaluate(const Network& n, const Layouts& layouts, std::map<Index, std::vector<float>> inputs) {
  std::vector<std::vector<float>> values(n.images.size());
  for (auto& [i, v] : inputs) values[i] = v;
  for (const Node& node : n.nodes) {
    const auto to = static_cast<std::size_t>(layouts[node.result].channels());
    std::vector<float>& out = values[node.result];
    out.resize(height * width * to);
    for (std::size_t pixel = 0; pixel < height * width; ++pixel) {
      std::size_t c = 0;
      for (const Index s : node.sources) {
        const auto from = static_cast<std::size_t>(layouts[s].channels());
        if (node.kernel) {
          const float scale = static_cast<const KernelOf<Ramp>&>(*node.kernel).value().scale;
          for (; c < to; ++c) out[pixel * to + c] = values[s][pixel * from + c % from] * scale + static_cast<float>(c);
        } else {
          for (std::size_t i = 0; i < from; ++i) out[pixel * to + c++] = values[s][pixel * from + i];
        }
      }
    }
  }
  return values;
}

void check_run(const Network& n, unsigned seed) {
  Layouts in(n.inputs.size(), picture(4));
  const Layouts all = graph::infer(n, in);
  std::vector<Operand> sources, results;
  std::map<Index, std::vector<float>> given;
  for (const Index i : n.inputs) {
    const test::Tensor t(picture(4));
    t.fill(seed + static_cast<unsigned>(i));
    sources.push_back(t.operand);
    const auto* data = reinterpret_cast<const float*>(t.operand.data());
    given[i].assign(data, data + height * width * 4);
  }
  const auto wanted = evaluate(n, all, given);
  for (const Index o : n.outputs) results.push_back(test::Tensor(all[o]).operand);
  poison_memory(true);
  PlanCache plans;
  submit(*Engines::find("cpu"), std::make_shared<const GraphKernel>(optimized(n)), plans, sources, results, true)->rethrow();
  poison_memory(false);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::vector<float>& w = wanted[n.outputs[i]];
    CHECK(std::memcmp(results[i].data(), w.data(), w.size() * sizeof(float)) == 0);
  }
}

}  // namespace

TEST_CASE("a plan of memory shares bytes between lives that do not meet, and only those") {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<Lifetime> lives(random() % 40);
    for (Lifetime& l : lives) {
      l.bytes = random() % 5000;
      l.first = random() % 30;
      l.last = l.first + random() % 6;
    }
    const MemoryPlan plan = plan_memory(lives);
    std::size_t sum = 0;
    for (std::size_t i = 0; i < lives.size(); ++i) {
      sum += (lives[i].bytes + 127) / 128 * 128;
      if (lives[i].bytes == 0) continue;
      CHECK(plan.offsets[i] % 128 == 0);
      CHECK(plan.offsets[i] + lives[i].bytes <= plan.bytes);
      for (std::size_t k = 0; k < i; ++k) {
        const bool apart = plan.offsets[i] + lives[i].bytes <= plan.offsets[k] || plan.offsets[k] + lives[k].bytes <= plan.offsets[i];
        CHECK((apart || lives[k].bytes == 0 || !lives[i].meets(lives[k])));
      }
    }
    CHECK(plan.least <= plan.bytes);
    CHECK(plan.bytes <= sum);
    CHECK(plan.bytes <= plan.least + plan.least / 4);  // worst of these: 1.21
  }
  std::vector<Lifetime> chain;
  for (std::size_t i = 0; i < 100; ++i) chain.push_back({1280, i, i + 1});
  CHECK(plan_memory(chain).bytes == 2 * 1280);
  CHECK(plan_memory({}).bytes == 0);
}

TEST_CASE("sources of a concatenation are written in place when they begin at a multiple of four and nothing else reads them") {
  Builder b;
  const Index x = b.input();
  const Index p = b.ramp(x, 8), q = b.ramp(x, 6), r = b.ramp(x, 5), s = b.ramp(x, 4);
  SUBCASE("all of them") {
    b.n.outputs = {b.ramp(b.concatenate({p, q}), 3)};
    const Program program = compiled(optimized(b.n));
    CHECK(copies(program) == 0);
    CHECK(program.steps.size() == 3);
    CHECK(program.blocks == 1);
    CHECK(program.separate_blocks == 3);
  }
  SUBCASE("behind six channels: a copy") {
    b.n.outputs = {b.ramp(b.concatenate({p, q, r}), 3)};
    CHECK(copies(compiled(b.n)) == 1);
  }
  SUBCASE("behind six and six more: again in place") {
    b.n.outputs = {b.concatenate({q, b.ramp(x, 6), s})};
    CHECK(copies(compiled(b.n)) == 1);
  }
  SUBCASE("read twice, an input, or a result: copies") {
    b.n.outputs = {b.concatenate({p, p, x, s}), s, b.ramp(r, 1)};
    CHECK(copies(compiled(b.n)) == 4);
  }
  SUBCASE("of another format: it is refused") {
    b.n.images[p].format = DType::f16;
    b.n.outputs = {b.concatenate({p, q})};
    CHECK_THROWS_WITH_AS(compiled(b.n), doctest::Contains("a source is float16, the result float32"), TypeError);
    return;
  }
  check_run(b.n, 3);
}

TEST_CASE("a concatenation of concatenations is one") {
  Builder b;
  const Index x = b.input();
  const Index inner = b.concatenate({b.ramp(x, 4), b.ramp(x, 8)});
  b.n.outputs = {b.concatenate({b.ramp(x, 4), inner, b.ramp(x, 3)})};
  const Program program = compiled(optimized(b.n));
  CHECK(copies(program) == 0);
  CHECK(program.places.size() == 2 + 4);  // the caller's, and the four that moved
  check_run(b.n, 4);
  b.n.outputs.push_back(inner);  // now somebody wants to see it
  CHECK(optimized(b.n).nodes.size() == b.n.nodes.size());
  check_run(b.n, 5);
}

TEST_CASE("random networks give what their nodes give, in any order and place") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    Builder b;
    std::vector<Index> images{b.input(), b.input()};
    const std::size_t count = 1 + random() % 20;
    for (std::size_t i = 0; i < count; ++i) {
      const auto pick = [&] { return images[images.size() - 1 - random() % std::min<std::size_t>(images.size(), 5)]; };
      if (random() % 3 == 0) {
        std::vector<Index> sources(1 + random() % 4);
        for (Index& s : sources) s = pick();
        images.push_back(b.concatenate(std::move(sources)));
      } else {
        images.push_back(b.ramp(pick(), random() % 3 == 0 ? 1 + static_cast<std::int64_t>(random() % 9) : 4 * (1 + static_cast<std::int64_t>(random() % 3)), 0.5f));
      }
    }
    b.n.outputs = {images.back()};
    if (random() % 2 && images[2 + random() % (images.size() - 2)] != images.back()) b.n.outputs.push_back(images[2]);
    if (b.n.outputs.back() == b.n.outputs.front() && b.n.outputs.size() > 1) b.n.outputs.pop_back();
    CAPTURE(seed);
    check_run(b.n, seed);
  }
}

TEST_CASE("branches are finished one after the other") {
  Builder b;
  const Index x = b.input();
  std::vector<Index> wide, ends;
  for (int i = 0; i < 6; ++i) wide.push_back(b.ramp(x, 64));
  for (const Index w : wide) ends.push_back(b.ramp(w, 4));
  b.n.outputs = {b.ramp(b.concatenate(ends), 1)};
  const Program program = compiled(b.n);
  CHECK(program.memory.bytes < 2 * 64 * 4 * height * width);
  CHECK(program.separate_bytes > 6 * 64 * 4 * height * width);
  check_run(b.n, 1);
}
