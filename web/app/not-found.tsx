// Next's own has inline styles, which our Content-Security-Policy forbids.

export default function NotFound() {
  return (
    <main className="page">
      <h1>There is no page here</h1>
      <p>
        <a href="/">Go to your recordings</a>
      </p>
    </main>
  );
}
