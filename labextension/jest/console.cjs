/** A warning of React, or an error that something reports, is a failure like any other. */
beforeEach(() => {
  jest.spyOn(console, 'error').mockImplementation(() => undefined);
});

afterEach(() => {
  const errors = console.error.mock.calls;
  jest.restoreAllMocks();
  expect(errors).toEqual([]);
});
