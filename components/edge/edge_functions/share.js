// A share that no service worker took: the page asks for it once more, and by then its service worker is there.
function handler() {
  return { statusCode: 303, statusDescription: 'See Other', headers: { location: { value: '/?share=failed' } } };
}
