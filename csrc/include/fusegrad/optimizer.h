// Optimizer: a rule, its hyperparameters, and the update ops that it emits for one variable.
#pragma once

#include <string>
#include <vector>

#include "fusegrad/api.h"
#include "fusegrad/builder.h"

namespace fusegrad {

struct Optimizer {
  enum class Rule { sgd, rmsprop, adam };
  Rule rule = Rule::sgd;
  double momentum = 0.0;                // sgd, rmsprop
  bool nesterov = false;                // sgd
  double rho = 0.9;                     // rmsprop
  bool centered = false;                // rmsprop
  double beta_1 = 0.9, beta_2 = 0.999;  // adam
  bool amsgrad = false;                 // adam
  double epsilon = 1e-7;                // rmsprop, adam

  // Names of the per-variable slots, in order: e.g. {"momentum", "velocity"}.
  FUSEGRAD_API std::vector<std::string> slots() const;

  // Once a step: what all variables share, from the learning rate (float64, 0-d) and the number of
  // finished steps (int64, 0-d). Adam's bias-corrected step size; else the learning rate.
  FUSEGRAD_API Value step_size(Builder& builder, Value learning_rate, Value iterations) const;
  // New variable, then new slots.
  FUSEGRAD_API std::vector<Value> update(Builder& builder, Value variable, Value gradient,
                                         const std::vector<Value>& slots, Value step_size) const;
};

}  // namespace fusegrad
