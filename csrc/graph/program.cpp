#include "graph/program.hpp"

#include <algorithm>
#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::graph {
namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

// Turns a network with layouts into places and steps in the network's order. A concatenation's sources are written straight
// into it where their kernels can: when nothing else reads them and they begin at a multiple of four channels.
class Builder {
 public:
  Builder(const Network& n, const Layouts& layouts, std::span<const Layout> outputs)
      : n_(n), layouts_(layouts), place_of_(n.images.size(), none), maker_(n.images.size(), none), channel_of_(n.images.size(), 0) {
    for (std::size_t i = 0; i < n.nodes.size(); ++i) maker_[n.nodes[i].result] = i;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) place_of_[n.inputs[i]] = add({layouts[n.inputs[i]], i, 0, {}});
    for (std::size_t i = 0; i < n.outputs.size(); ++i) place_of_[n.outputs[i]] = add({outputs[i], n.inputs.size() + i, 0, {}});
    for (const Node& node : n.nodes)
      if (place_of_[node.result] == none) place_of_[node.result] = add({layouts[node.result].packed(), {}, 0, {}});
  }

  std::vector<Step> steps() {
    written_in_place();
    std::vector<Step> out;
    for (std::size_t i = 0; i < n_.nodes.size(); ++i) {
      const Node& node = n_.nodes[i];
      if (node.kernel) {
        Step step{node.kernel, {}, place_of_[node.result], 0, i};
        if (channel_of_[node.result] != 0) step.kernel = node.kernel->at_channel(channel_of_[node.result]);
        for (const Index s : node.sources) step.sources.push_back(place_of_[s]);
        out.push_back(std::move(step));
        continue;
      }
      std::int64_t channel = 0;
      for (const Index s : node.sources) {
        if (place_of_[s] != place_of_[node.result]) out.push_back({nullptr, {place_of_[s]}, place_of_[node.result], channel, i});
        channel += layouts_[s].channels();
      }
    }
    return out;
  }
  std::vector<Place> places() { return std::move(places_); }

 private:
  std::size_t add(Place place) {
    places_.push_back(std::move(place));
    return places_.size() - 1;
  }
  void written_in_place() {
    const std::vector<std::size_t> read = readers(n_);
    for (const Node& node : n_.nodes) {
      if (node.kernel) continue;
      std::int64_t channel = 0;
      for (const Index s : node.sources) {
        const std::size_t maker = maker_[s];
        const bool can = maker != none && read[s] == 1 && !places_[place_of_[s]].operand && channel % 4 == 0 && n_.nodes[maker].kernel &&
                         layouts_[s].dtype == places_[place_of_[node.result]].layout.dtype && n_.nodes[maker].kernel->at_channel(channel);
        if (can) {
          place_of_[s] = place_of_[node.result];
          channel_of_[s] = channel;
        }
        channel += layouts_[s].channels();
      }
    }
  }

  const Network& n_;
  const Layouts& layouts_;
  std::vector<Place> places_;
  std::vector<std::size_t> place_of_, maker_;  // by image
  std::vector<std::int64_t> channel_of_;
};

void set_lives(std::vector<Place>& places, const std::vector<Step>& steps) {
  for (Place& p : places) p.life = {};
  for (std::size_t t = 0; t < steps.size(); ++t) {
    const auto touch = [&](std::size_t place) {
      Lifetime& life = places[place].life;
      if (life.bytes == 0) life = {static_cast<std::size_t>(places[place].layout.span_bytes()), t, t};
      life.last = t;
    };
    for (const std::size_t s : steps[t].sources) touch(s);
    touch(steps[t].result);
  }
}

MemoryPlan plan(const std::vector<Place>& places) {
  std::vector<Lifetime> lives;
  for (const Place& p : places) lives.push_back(p.operand ? Lifetime{} : p.life);
  return plan_memory(lives);
}

// Always the step that leaves the fewest bytes alive; among equals the one that came first.
std::vector<Step> frugal_order(const std::vector<Place>& places, const std::vector<Step>& steps) {
  const std::size_t count = steps.size();
  std::vector<std::size_t> reads_left(places.size(), 0), writes_left(places.size(), 0);
  for (const Step& s : steps) {
    ++writes_left[s.result];
    for (const std::size_t p : s.sources) ++reads_left[p];
  }
  std::vector<std::size_t> writes_done(places.size(), 0);
  std::vector<bool> done(count);
  std::vector<Step> out;
  const auto bytes = [&](std::size_t p) { return places[p].operand ? 0 : static_cast<std::int64_t>(places[p].layout.span_bytes()); };
  while (out.size() < count) {
    std::size_t best = none;
    std::int64_t best_growth = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (done[i]) continue;
      const Step& s = steps[i];
      // A source is there when all that write it have run, an input from the start.
      if (!std::ranges::all_of(s.sources, [&](std::size_t p) { return writes_left[p] == 0; })) continue;
      std::int64_t growth = writes_done[s.result] == 0 ? bytes(s.result) : 0;
      for (std::size_t k = 0; k < s.sources.size(); ++k) {
        const std::size_t p = s.sources[k];
        const auto seen = s.sources.begin() + static_cast<std::ptrdiff_t>(k);
        if (std::find(s.sources.begin(), seen, p) != seen) continue;  // read twice, freed once
        if (reads_left[p] == static_cast<std::size_t>(std::ranges::count(s.sources, p))) growth -= bytes(p);
      }
      if (best == none || growth < best_growth) {
        best = i;
        best_growth = growth;
      }
    }
    const Step& s = steps[best];
    done[best] = true;
    ++writes_done[s.result];
    --writes_left[s.result];
    for (const std::size_t p : s.sources) --reads_left[p];
    out.push_back(s);
  }
  return out;
}

}  // namespace

void require_fit(const Network& n, const Layouts& images, std::span<const Layout> outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Index image = n.outputs[i];
    const Layout& wanted = images[image];
    if (outputs[i].extent != wanted.extent)
      throw ValueError(cat("Graph: out for '", n.images[image].name, "' is ", outputs[i].describe(), "; allowed: ", wanted.packed().describe(),
                           ", which these inputs make. Pass an array of that shape, or omit out."));
    if (outputs[i].dtype == wanted.dtype) continue;
    for (const Node& node : n.nodes)
      if (std::ranges::find(node.sources, image) != node.sources.end() || (!node.kernel && node.result == image))
        throw TypeError(cat("Graph: out for '", n.images[image].name, "' is ", name_of(outputs[i].dtype), ", and node ", describe(node),
                            node.result == image ? " makes" : " reads", " that image as ", name_of(wanted.dtype), "; allowed: ", name_of(wanted.dtype),
                            ". Omit out, or set the image's format."));
  }
}

Program compile(const Network& n, std::span<const Layout> inputs, std::span<const Layout> outputs) {
  Layouts layouts = infer(n, inputs);
  require_fit(n, layouts, outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) layouts[n.outputs[i]] = outputs[i];

  Program program;
  Builder builder(n, layouts, outputs);
  program.steps = builder.steps();
  program.places = builder.places();
  set_lives(program.places, program.steps);
  program.memory = plan(program.places);
  std::vector<Step> frugal = frugal_order(program.places, program.steps);
  std::vector<Place> places = program.places;
  set_lives(places, frugal);
  if (MemoryPlan memory = plan(places); memory.bytes < program.memory.bytes) {
    program.steps = std::move(frugal);
    program.places = std::move(places);
    program.memory = std::move(memory);
  }
  for (std::size_t i = 0; i < program.places.size(); ++i) {
    Place& p = program.places[i];
    p.offset = program.memory.offsets[i];
    program.blocks += !p.operand && p.life.bytes > 0;
  }
  for (const Node& node : n.nodes) {
    if (std::ranges::find(n.outputs, node.result) != n.outputs.end()) continue;
    program.separate_bytes += static_cast<std::size_t>(layouts[node.result].packed().span_bytes());
    ++program.separate_blocks;
  }
  return program;
}

}  // namespace mpskit::graph
