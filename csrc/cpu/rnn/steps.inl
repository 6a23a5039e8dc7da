#pragma once
// Some turns of one layer: products with the source for all of them at once, then turn after turn the recurrent product and
// what follows from it, block by block.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

struct StepsOfLayer {
  const PackedCell& cell;
  CellState& state;
  Rows source;
  Result result;
  Turns turns;
  float* sums;         // for each block the rows of all turns, block_columns() each
  Rows all_h{}, all_c{};

  void run() {
    const std::int64_t phases = static_cast<std::int64_t>(cell.phases.size());
    // Rows are divided where there are too few blocks of columns for all threads.
    const std::int64_t steps = turns.count, most = turns.rows_of(0);
    const std::int64_t pieces = std::clamp<std::int64_t>(2 * num_threads() / cell.blocks, 1, (most + least_rows - 1) / least_rows);
    const bool at_once = steps > 1;
    if (at_once) multiply_source();
    const auto block = [&](std::int64_t step, std::int64_t task) {
      const std::int64_t b = task / pieces, piece = task % pieces, k = step / phases;
      const std::int64_t rows = turns.rows_of(k), first = piece * rows / pieces, count = (piece + 1) * rows / pieces - first;
      if (count == 0) return;
      if (!at_once && step == 0) multiply_source(b, first, count);
      work(k, static_cast<std::size_t>(step % phases), b, first, count);
    };
    const std::int64_t tasks = cell.blocks * pieces;
    std::int64_t terms = at_once ? 0 : cell.inputs;
    for (const RecurrentProduct& p : cell.phases) terms += p.terms;
    if (terms * cell.blocks * cell.block_columns() * turns.all_rows() < least_work * phases * steps) {
      for (std::int64_t step = 0; step < steps * phases; ++step)
        for (std::int64_t task = 0; task < tasks; ++task) block(step, task);
    } else {
      parallel_steps(steps * phases, tasks, block);
    }
    if (steps % 2 == 1) std::swap(state.h[0], state.h[1]);
  }

 private:
  static constexpr std::int64_t least_rows = 6;
  // Multiply-adds of a phase that are worth meeting another thread for: two microseconds or so.
  static constexpr std::int64_t least_work = 1 << 16;

  float* tile(std::int64_t block, std::int64_t number) const { return sums + (block * turns.all_rows() + number) * cell.block_columns(); }

  void multiply_source() const {
    // A task is worth a thread's waking, and no more than a block.
    const std::int64_t all = turns.all_rows(), most = std::max<std::int64_t>(1, 2 * num_threads() / cell.blocks);
    const std::int64_t pieces = std::clamp<std::int64_t>(most, 1, (all + 31) / 32);
    const std::int64_t macs = std::max<std::int64_t>(1, cell.input.is_empty() ? 16 : cell.inputs) * cell.block_columns() * all / pieces;
    parallel_for(cell.blocks * pieces, std::max<std::int64_t>(1, (1 << 20) / std::max<std::int64_t>(1, macs)), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t b = task / pieces, piece = task % pieces, first = piece * all / pieces;
        multiply_source(b, first, (piece + 1) * all / pieces - first);
      }
    });
  }

  // Block b of the sums for some rows of all turns: the products with the source, and the bias.
  void multiply_source(std::int64_t b, std::int64_t first, std::int64_t count) const {
    const std::int64_t columns = cell.block_columns();
    float* dst = tile(b, 0);
    if (cell.input.is_empty()) return copy_source(b, first, count, dst);
    Gemm g;
    g.m = turns.all_rows();
    g.n = cell.blocks * columns;
    g.k = cell.inputs;
    const auto row_by_row = [&](std::int64_t m, std::int64_t some, std::int64_t k, std::int64_t length, float* to, std::int64_t stride) {
      source.each(turns, m, some, [&](std::int64_t n, const std::byte* row) {
        load_row(source, row + k * static_cast<std::int64_t>(size_of(source.dtype)), length, to + (n - m) * stride);
      });
    };
    if (source.is_numbered) g.a.matrix = {source.data, source.dtype, source.row_bytes};
    else if (!turns.lengths && (turns.rows == 1 || turns.count == 1 || source.step_bytes == turns.rows * source.row_bytes))
      g.a.matrix = {source.at(turns.first_time(), 0), source.dtype, turns.rows == 1 ? source.step_bytes : source.row_bytes};
    else g.a = rows_from(row_by_row);
    g.packed_b = &cell.input;
    g.c = block_of(dst, b * columns, columns);
    g.bias = cell.bias.empty() ? nullptr : cell.bias.data();
    gemm_part(g, first, count, b * columns, columns);
  }
  void copy_source(std::int64_t b, std::int64_t first, std::int64_t count, float* dst) const {
    const std::int64_t columns = cell.block_columns(), unit = b * cell.width, some = std::min(cell.width, cell.outputs - unit);
    source.each(turns, first, count, [&](std::int64_t m, const std::byte* src) {
      float* row = dst + m * columns;
      if (cell.bias.empty()) std::fill(row, row + columns, 0.0f);
      else std::memcpy(row, cell.bias.data() + b * columns, static_cast<std::size_t>(columns) * sizeof(float));
      if (!cell.copies_input) return;
      float values[4 * panel_columns];
      load_row(source, src + unit * static_cast<std::int64_t>(size_of(source.dtype)), some, values);
      for (std::int64_t g = 0; g < cell.gates; ++g)
        for (std::int64_t u = 0; u < some; ++u) row[g * cell.width + u] += values[u];
    });
  }
  // A result whose columns from `column` on lie at `data`.
  static GemmResult block_of(float* data, std::int64_t column, std::int64_t row_floats) {
    return {data - column, DType::f32, row_floats * static_cast<std::int64_t>(sizeof(float))};
  }

  void work(std::int64_t k, std::size_t phase, std::int64_t b, std::int64_t first, std::int64_t count) const {
    float *before = state.h[k % 2], *after = state.h[1 - k % 2];
    const RecurrentProduct& p = cell.phases[phase];
    float* t = tile(b, turns.number(k, first));
    if (p.terms > 0) {
      const float* a = before;
      std::int64_t stride = state.stride;
      if (cell.kind == Cell::Kind::gru && phase == 1) {
        a = state.gated;
        stride = state.gated_stride;
      } else if (phase == 1) {
        a = after + cell.units();
      }
      const std::int64_t columns = p.gates * cell.width, column = b * columns;
      Gemm g;
      g.m = count;
      g.n = cell.blocks * columns;
      g.k = p.terms;
      g.a.matrix = {a + first * stride, DType::f32, stride * static_cast<std::int64_t>(sizeof(float))};
      g.packed_b = &p.weights;
      g.c = block_of(t + p.first_gate * cell.width, column, cell.block_columns());
      g.beta = 1;
      gemm_part(g, 0, count, column, columns);
    }
    const BlockOfRows block{cell, t, first, count, b * cell.width, std::min(cell.width, cell.outputs - b * cell.width), state, before, after};
    if (!block.finish(phase)) return;
    for (std::int64_t r = first; r < first + count; ++r) deliver(k, r, block, after + r * state.stride + block.unit);
  }

  void deliver(std::int64_t k, std::int64_t row, const BlockOfRows& block, const float* h) const {
    const auto place = [&](const Rows& rows_) { return rows_.at(turns, k, row) + block.unit * static_cast<std::int64_t>(size_of(rows_.dtype)); };
    if (all_h) store_row(all_h, h, block.some, place(all_h));
    if (all_c) store_row(all_c, state.c + row * cell.units() + block.unit, block.some, place(all_c));
    if (result.addend) {
      float sum[4 * panel_columns];
      load_row(result.addend, place(result.addend), block.some, sum);
      for (std::int64_t u = 0; u < block.some; ++u) sum[u] += h[u];
      return store_row(result.rows, sum, block.some, place(result.rows));
    }
    store_row(result.rows, h, block.some, place(result.rows));
  }
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA
