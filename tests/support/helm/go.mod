// SPDX-License-Identifier: Apache-2.0

// Helm for tests (tests/e2e/helm.py).
module helm

go 1.24.0

require helm.sh/helm/v3 v3.19.5
