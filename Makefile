# Each target is a line: what is done stands in scripts/.
.PHONY: demo test build dev bench check
demo: ; @scripts/demo
test: ; @scripts/test
build: ; @scripts/build
dev: ; @scripts/dev
bench: ; @scripts/bench
check: ; @scripts/check
