#include "kernels/linalg/matrix_multiplication.hpp"

#include "metal/linalg/one_by_one.hpp"
#include "metal/linalg/product_tiles.hpp"

namespace mpskit::metal {
namespace {

// What lies at this distance from an origin, for a factor that is taken as it is stored or transposed.
MTLOrigin moved(const Origin& o, std::int64_t row, std::int64_t column, bool is_transposed = false) {
  return to_mtl(Origin{o.x + (is_transposed ? column : row), o.y + (is_transposed ? row : column), 0});
}

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixMultiplication& k, const Call& call, const Context& context)
      : origin_(k.result_matrix_origin), product_(k.product(call.inputs[0], call.inputs[1], &call.outputs[0])) {
    const auto& p = product_;
    if (p.rows == 0 || p.columns == 0 || p.interior == 0 || p.alpha == 0) return;  // MPS has no empty products
    for (const auto& layouts : {call.inputs, call.outputs})
      for (const Layout& l : layouts) is_batch_ = is_batch_ && (product_.count == 1 || l.matrix_bytes() % l.row_bytes() == 0);
    for (const Tile& t : product_tiles(p.rows, p.columns, p.interior, call.outputs[0].element_bytes())) {
      auto tile = made(adopt([[MPSMatrixMultiplication alloc] initWithDevice:context.device()
                                                               transposeLeft:k.transpose_left ? YES : NO
                                                              transposeRight:k.transpose_right ? YES : NO
                                                                  resultRows:static_cast<NSUInteger>(t.rows)
                                                               resultColumns:static_cast<NSUInteger>(t.columns)
                                                             interiorColumns:static_cast<NSUInteger>(p.interior)
                                                                       alpha:p.alpha
                                                                        beta:p.beta]),
                       context, k);
      tile.get().leftMatrixOrigin = moved(k.left_matrix_origin, t.row, 0, k.transpose_left);
      tile.get().rightMatrixOrigin = moved(k.right_matrix_origin, 0, t.column, k.transpose_right);
      tile.get().resultMatrixOrigin = moved(k.result_matrix_origin, t.row, t.column);
      tiles_.push_back(std::move(tile));
    }
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    if (product_.rows == 0 || product_.columns == 0 || product_.count == 0) return;
    // MPS does not say that beta 0 leaves NaN of the old result behind: nothing is left there for it to read.
    if (tiles_.empty() || product_.beta == 0) scale_window(e, o[2], {product_.first, product_.count}, origin_, {product_.rows, product_.columns}, static_cast<float>(product_.beta));
    if (tiles_.empty()) return;
    // Offsets, not batchStart: a system was seen to ignore it.
    const std::int64_t step = is_batch_ ? product_.count : 1;
    for (std::int64_t first = product_.first; first < product_.first + product_.count; first += step) {
      MPSMatrix* left = e.matrix(o[0], first, step);
      MPSMatrix* right = e.matrix(o[1], first, step);
      MPSMatrix* result = e.matrix(o[2], first, step);
      for (const auto& tile : tiles_)
        [tile.get() encodeToCommandBuffer:e.commands() leftMatrix:left rightMatrix:right resultMatrix:result];
    }
  }

 private:
  Origin origin_;
  linalg::MatrixMultiplication::Product product_;
  bool is_batch_ = true;  // one encode takes all matrices
  std::vector<retained<MPSMatrixMultiplication*>> tiles_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixMultiplication, Plan)
