import { type ComponentType, type ReactNode, useEffect, useRef, useState } from 'react';

/** HubSpot's components as plain HTML: enough to read, click and type, without HubSpot's looks. */

type Props = Record<string, any> & { children?: ReactNode };
const test = ({ testId }: Props) => (testId ? { 'data-test-id': testId } : {});
const classes = (...names: (string | false | undefined)[]) => names.filter(Boolean).join(' ');

const Flex = ({ direction = 'row', justify, align, wrap, gap = 'flush', children, ...rest }: Props) => (
  <div {...test(rest)} className={classes('flex', direction, `gap-${gap}`, wrap && 'wrap', justify && `justify-${justify}`, align && `align-${align}`)}>
    {children}
  </div>
);

const Button = ({ href, onClick, disabled, loading, variant = 'secondary', type = 'button', size, children, ...rest }: Props) => {
  const look = classes('button', variant, size === 'extra-small' && 'tiny');
  if (href) {
    const { url, external } = typeof href === 'string' ? { url: href, external: false } : href;
    return <a {...test(rest)} className={look} href={url} {...(external && { target: '_blank', rel: 'noreferrer' })}>{children}</a>;
  }
  return (
    <button {...test(rest)} type={type} className={look} disabled={disabled || loading} aria-busy={loading || undefined} onClick={() => onClick?.()}>
      {children}
    </button>
  );
};

/** The text of an input lives here while it is typed, since the card answers from another thread. */
function useTyped(value: string | undefined, onChange?: (value: string) => void): [string, (text: string) => void] {
  const [typed, setTyped] = useState(value ?? '');
  const underWay = useRef<string[]>([]);
  useEffect(() => {
    // The card gives back what was typed, a little later: an old echo must not take away the letters typed since.
    const echo = underWay.current.indexOf(value ?? '');
    if (echo >= 0) underWay.current.splice(0, echo + 1);
    else setTyped(value ?? '');
  }, [value]);
  const type = (text: string) => {
    setTyped(text);
    underWay.current.push(text);
    onChange?.(text);
  };
  return [typed, type];
}

function Labelled({ label, description, validationMessage, required, children }: Props) {
  return (
    <label className="field">
      <span>{label}{required ? ' (required)' : ''}</span>
      {children}
      {description && <small>{description}</small>}
      {validationMessage && <small className="wrong" role="alert">{validationMessage}</small>}
    </label>
  );
}

const Input = (props: Props) => {
  const [typed, type] = useTyped(props.value, props.onChange);
  return (
    <Labelled {...props}>
      <input {...test(props)} name={props.name} value={typed} placeholder={props.placeholder} readOnly={props.readOnly} aria-invalid={props.error || undefined} onChange={(e) => type(e.target.value)} />
    </Labelled>
  );
};

const TextArea = (props: Props) => {
  const [typed, type] = useTyped(props.value, props.onChange);
  return (
    <Labelled {...props}>
      <textarea {...test(props)} name={props.name} value={typed} rows={props.rows} readOnly={props.readOnly} aria-invalid={props.error || undefined} onChange={(e) => type(e.target.value)} />
    </Labelled>
  );
};

const Select = (props: Props) => {
  const [typed, type] = useTyped(props.value, props.onChange);
  return (
    <Labelled {...props}>
      <select {...test(props)} name={props.name} value={typed} aria-invalid={props.error || undefined} onChange={(e) => type(e.target.value)}>
        {props.options.map((one: { label: string; value: string }) => <option key={one.value} value={one.value}>{one.label}</option>)}
      </select>
    </Labelled>
  );
};

const Form = ({ onSubmit, children, ...rest }: Props) => (
  <form
    {...test(rest)}
    onSubmit={(event) => {
      event.preventDefault();
      onSubmit?.({ targetValue: Object.fromEntries(new FormData(event.currentTarget)) });
    }}
  >
    {children}
  </form>
);

const Text = ({ variant, format, children, ...rest }: Props) => (
  <p {...test(rest)} className={classes(variant, format?.italic && 'italic', format?.fontWeight === 'demibold' && 'demibold')}>{children}</p>
);

const State = (kind: string) => ({ title, children, ...rest }: Props) => (
  <div {...test(rest)} className={classes('state', kind)}>
    {title && <h3>{title}</h3>}
    {children}
  </div>
);

export const components: Record<string, ComponentType<any>> = {
  Accordion: ({ title, defaultOpen, children }: Props) => <details open={defaultOpen}><summary>{title}</summary>{children}</details>,
  Alert: ({ title, variant = 'info', children, ...rest }: Props) => (
    <div {...test(rest)} className={classes('alert', variant)} role="status"><strong>{title}</strong>{children && <div>{children}</div>}</div>
  ),
  Button,
  ButtonRow: ({ children }: Props) => <div className="flex row gap-small">{children}</div>,
  DescriptionList: ({ direction = 'column', children }: Props) => <dl className={direction}>{children}</dl>,
  DescriptionListItem: ({ label, children }: Props) => <><dt>{label}</dt><dd>{children}</dd></>,
  EmptyState: State('empty'),
  ErrorState: State('error'),
  Flex,
  Form,
  Heading: ({ children, ...rest }: Props) => <h3 {...test(rest)}>{children}</h3>,
  Input,
  Link: ({ href, children }: Props) => <Button href={href} variant="transparent">{children}</Button>,
  List: ({ children }: Props) => <div className="list">{children}</div>,
  LoadingButton: Button,
  LoadingSpinner: ({ label }: Props) => <p className="spinner" role="status">{label}</p>,
  Select,
  StatusTag: ({ variant = 'default', children, ...rest }: Props) => <span {...test(rest)} className={classes('tag', variant)}>{children}</span>,
  Text,
  TextArea,
  Tile: ({ children, ...rest }: Props) => <section {...test(rest)} className="tile">{children}</section>,
};
