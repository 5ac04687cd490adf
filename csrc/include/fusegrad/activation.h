// The activations that a dense kernel applies in its epilogue.
#pragma once

namespace fusegrad {

enum class Activation : int { linear, relu, leaky_relu, sigmoid, tanh, softplus };

}  // namespace fusegrad
