#include "cpu/gemm/gemm.hpp"
#include "cpu/simd/pixels.inl"
#include "cpu/rnn/packed_cell.inl"
#include "cpu/rnn/turns.inl"
#include "cpu/rnn/cell_state.inl"
#include "cpu/rnn/cells.inl"
#include "cpu/rnn/steps.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Time steps that are done together: all their products with the source are one, with enough rows for the matrix core to be
// at its best and few enough for the result to stay in a cache.
constexpr std::int64_t rows_at_once = 256;

char cells_tag;  // names the packed weights among the parts of a kernel

using Cells = std::vector<PackedCell>;

class MatrixInferenceLayerPlan final : public CpuPlan {
 public:
  MatrixInferenceLayerPlan(const rnn::MatrixInferenceLayer& k, const Call& call)
      : steps_(call.inputs[0].matrices()),
        rows_(call.inputs[0].rows()),
        inputs_(call.inputs.size()),
        has_input_state_(k.has_input_state(call.inputs)),
        lengths_at_(k.has_lengths(call.inputs) ? k.lengths_index() : 0),
        results_(k.results()),
        has_output_state_(call.outputs.size() > k.results()),
        stores_all_(k.store_all_intermediate_states),
        is_sum_(k.bidirectional_combine_mode == rnn::BidirectionalCombineMode::add) {
    cells_ = call.kernel.part<Cells>(&cells_tag, [&] {
      auto cells = std::make_shared<Cells>();
      for (const rnn::AnyDescriptor& d : k.rnn_descriptors) cells->emplace_back(rnn::load_cell(d));
      return cells;
    });
    for (const rnn::AnyDescriptor& d : k.rnn_descriptors) {
      first_state_.push_back(states_);
      states_ += rnn::has_memory_cell(d) ? 2 : 1;
    }
    for (const auto direction : {rnn::SequenceDirection::forward, rnn::SequenceDirection::backward})
      if (auto layers = k.chain(direction); !layers.empty()) chains_.push_back({direction == rnn::SequenceDirection::backward, std::move(layers)});
    const std::int64_t most = std::max<std::int64_t>(1, rows_at_once / std::max<std::int64_t>(1, rows_)), chunks = (steps_ + most - 1) / most;
    steps_at_once_ = chunks > 0 ? (steps_ + chunks - 1) / chunks : 1;
  }

  void run(std::span<const View> views) const override {
    if (rows_ == 0) return;  // outputs and states have no rows either
    const View* input_state = has_input_state_ ? &views[1] : nullptr;
    const std::span<const View> outputs = views.subspan(inputs_);
    const std::int32_t* given = lengths_at_ > 0 ? views[lengths_at_].vector<std::int32_t>(0) : nullptr;
    std::optional<Lengths> lengths;  // none when no sequence ends before the others
    if (given && std::any_of(given, given + rows_, [&](std::int32_t n) { return n < steps_; })) lengths.emplace(std::span(given, static_cast<std::size_t>(rows_)));
    const View* output_state = has_output_state_ ? &outputs[results_] : nullptr;

    // The sum of both directions is rounded once: the first keeps its part in float32.
    const Rows out = rows_of(outputs[0]);
    const std::int64_t columns = outputs[0].layout.columns();
    const bool keeps_part = is_sum_ && out.dtype != DType::f32;
    const Scratch part_memory(keeps_part ? static_cast<std::size_t>(steps_ * rows_ * columns) * sizeof(float) : 0);
    const Rows part = keeps_part ? Rows::packed(part_memory.as<float>(), rows_, columns) : out;
    if (lengths)
      for (const View& v : outputs.first(results_)) clear_ends(*lengths, v);
    std::int64_t column = 0;
    for (std::size_t i = 0; i < chains_.size(); ++i) {
      Result result{out, {}};
      if (is_sum_) result = i == 0 ? Result{part, {}} : Result{out, part};
      else if (results_ == 2) result.rows = rows_of(outputs[i]);
      else result.rows = out.from_column(column);
      run_chain(chains_[i], lengths ? &*lengths : nullptr, views[0], input_state, result, output_state);
      column += (*cells_)[chains_[i].layers.back()].outputs;
    }
  }

 private:
  struct Chain {
    bool is_backward;
    std::vector<std::size_t> layers;
  };
  // Lays out the memory of one run of a chain, in floats; each piece begins a cache line.
  struct Places {
    std::int64_t floats = 0;
    std::int64_t take(std::int64_t count) {
      const std::int64_t at = floats;
      floats += (count + 15) / 16 * 16;
      return at;
    }
  };

  // Zeros behind the end of each sequence.
  static void clear_ends(const Lengths& lengths, const View& out) {
    const auto bytes = static_cast<std::size_t>(out.layout.columns() * out.layout.element_bytes());
    for (std::int64_t r = 0; r < out.layout.rows(); ++r)
      for (std::int64_t t = lengths.length(r); t < out.layout.matrices(); ++t) std::memset(rows_of(out).at(t, lengths.sequence(r)), 0, bytes);
  }

  // The source's rows side by side: each block of columns reads them all.
  static Rows gather(const Rows& source, const Turns& turns, std::int64_t columns, float* to) {
    parallel_for(turns.all_rows(), std::max<std::int64_t>(1, (1 << 15) / columns), [&](std::int64_t begin, std::int64_t end) {
      source.each(turns, begin, end - begin, [&](std::int64_t n, const std::byte* row) { load_row(source, row, columns, to + n * columns); });
    });
    return Rows::of_turns(to, columns);
  }

  void run_chain(const Chain& chain, const Lengths* lengths, const View& source, const View* input_state, const Result& result, const View* output_state) const {
    const std::int64_t turns = lengths ? lengths->turns() : steps_;
    const auto turns_at_once = [&](std::int64_t done) { return lengths ? lengths->at_once(done, rows_at_once) : std::min(steps_at_once_, steps_ - done); };
    std::int64_t rows = lengths ? 0 : steps_at_once_ * rows_;
    for (std::int64_t done = 0, count = 0; lengths && done < turns; done += count) {
      count = turns_at_once(done);
      rows = std::max(rows, lengths->rows_of(done, count));
    }
    Places places;
    std::int64_t widest = 0, products = 0;
    std::vector<std::int64_t> states_at;
    for (const std::size_t i : chain.layers) {
      const PackedCell& cell = (*cells_)[i];
      states_at.push_back(places.take(CellState::floats(cell, rows_)));
      products = std::max(products, rows * cell.blocks * cell.block_columns());
      if (i != chain.layers.back()) widest = std::max(widest, cell.outputs);
    }
    const std::int64_t between[2] = {places.take(rows * widest), places.take(chain.layers.size() > 2 ? rows * widest : 0)};
    const std::int64_t sums = places.take(products), inputs = (*cells_)[chain.layers.front()].inputs;
    const std::int64_t gathered = places.take(lengths ? rows * inputs : 0);
    const Scratch memory(static_cast<std::size_t>(places.floats) * sizeof(float));
    auto* base = memory.as<float>();

    std::vector<CellState> states;
    for (std::size_t l = 0; l < chain.layers.size(); ++l) {
      const std::size_t i = chain.layers[l];
      states.emplace_back((*cells_)[i], rows_, base + states_at[l], lengths);
      states.back().begin(input_state ? input_state + first_state_[i] : nullptr);
    }
    for (std::int64_t done = 0, count = 0; done < turns; done += count) {
      count = turns_at_once(done);
      const Turns some{done, count, rows_, steps_, chain.is_backward, lengths};
      Rows x = lengths ? gather(rows_of(source), some, inputs, base + gathered) : rows_of(source);
      for (std::size_t l = 0; l < chain.layers.size(); ++l) {
        const std::size_t i = chain.layers[l];
        const PackedCell& cell = (*cells_)[i];
        const Rows y = Rows::of_turns(base + between[l % 2], cell.outputs);
        StepsOfLayer steps{cell, states[l], x, l + 1 == chain.layers.size() ? result : Result{y, {}}, some, base + sums};
        if (stores_all_ && output_state) {
          steps.all_h = rows_of(output_state[first_state_[i]]);
          if (cell.kind == Cell::Kind::lstm) steps.all_c = rows_of(output_state[first_state_[i] + 1]);
        }
        steps.run();
        x = y;
      }
    }
    for (std::size_t l = 0; output_state && l < chain.layers.size(); ++l) {
      const std::size_t i = first_state_[chain.layers[l]];
      if (!stores_all_) states[l].end(output_state + i);
      else if (lengths) states[l].fill_ends(input_state ? input_state + i : nullptr, output_state + i, chain.is_backward);
    }
  }

  std::int64_t steps_, rows_, steps_at_once_;
  std::size_t inputs_;
  bool has_input_state_;
  std::size_t lengths_at_;  // among the inputs; 0: there are none
  std::size_t results_;
  bool has_output_state_, stores_all_, is_sum_;
  std::shared_ptr<const Cells> cells_;
  std::size_t states_ = 0;                  // matrices of a state
  std::vector<std::size_t> first_state_;    // of each layer, among them
  std::vector<Chain> chains_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(rnn::MatrixInferenceLayer, MatrixInferenceLayerPlan)
